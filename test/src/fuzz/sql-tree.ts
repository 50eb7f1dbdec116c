/**
 * SQL as a tree of texts that knows how it could be less: what a failing case is made small by. It knows nothing of
 * SQL's rules: what is no query any more, Postgres refuses, and the attempt is given up.
 */
export type Sql = string | Sequence | List | Param;

export interface Sequence {
  readonly kind: 'sequence';
  readonly parts: readonly Sql[];
  /** What could stand in its place and is less. */
  readonly instead: readonly Sql[];
}

export interface List {
  readonly kind: 'list';
  readonly items: readonly Sql[];
  /** Printed before, between and behind the items; an empty list is nothing at all. */
  readonly before: string;
  readonly between: string;
  readonly behind: string;
  /** None of its items may be left out: an order that leaves no ties is no such order without them. */
  readonly whole: boolean;
}

/** One of the query's parameters. They are numbered anew when it is printed. */
export interface Param {
  readonly kind: 'param';
  readonly index: number;
}

export function sequence(parts: readonly Sql[], instead: readonly Sql[] = []): Sequence {
  return { kind: 'sequence', parts, instead };
}

export function list(items: readonly Sql[], between: string, before = '', behind = ''): List {
  return { kind: 'list', items, before, between, behind, whole: false };
}

/** A list of which nothing may be left out. */
export function wholeList(items: readonly Sql[], between: string, before = '', behind = ''): List {
  return { ...list(items, between, before, behind), whole: true };
}

/** A template whose values are trees. */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sequence {
  return sequence(strings.flatMap((text, at) => (at < values.length ? [text, values[at] ?? ''] : [text])));
}

/** What may be left out. */
export function optional(part: Sql): List {
  return list([part], '');
}

export interface Printed {
  readonly text: string;
  /** Which of the parameters are `$1`, `$2`, … */
  readonly params: readonly number[];
}

export function print(tree: Sql): Printed {
  const params: number[] = [];
  return { text: textOf(tree, params), params };
}

function textOf(tree: Sql, params: number[]): string {
  if (typeof tree === 'string') return tree;
  switch (tree.kind) {
    case 'sequence':
      return tree.parts.map((part) => textOf(part, params)).join('');
    case 'list':
      if (tree.items.length === 0) return '';
      return tree.before + tree.items.map((item) => textOf(item, params)).join(tree.between) + tree.behind;
    default: {
      const known = params.indexOf(tree.index);
      return `$${known >= 0 ? known + 1 : params.push(tree.index)}`;
    }
  }
}

/** The trees that have one thing less, the largest first. */
export function* lesser(tree: Sql): Generator<Sql> {
  if (typeof tree === 'string' || tree.kind === 'param') return;
  if (tree.kind === 'sequence') {
    yield* tree.instead;
    for (const [at, part] of tree.parts.entries())
      for (const one of lesser(part)) yield { ...tree, parts: tree.parts.with(at, one) };
    return;
  }
  const { items } = tree;
  for (let at = 0; at < items.length && !tree.whole; at++) yield { ...tree, items: items.toSpliced(at, 1) };
  for (const [at, item] of items.entries())
    for (const one of lesser(item)) yield { ...tree, items: items.with(at, one) };
}
