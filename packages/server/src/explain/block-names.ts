import type { Block, Input } from '@sluice/core/flow/plan';
import type { ExpressionText, Names } from './expression-text.js';

/** Names for relations without one: numbered through the whole plan, and the same table twice told apart. */
export class RelationNames {
  readonly #taken = new Map<string, number>();

  next(name: string): string {
    const count = (this.#taken.get(name) ?? 0) + 1;
    this.#taken.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  }
}

/** An input, and what the tree calls it and its columns. */
export interface NamedInput {
  readonly input: Input;
  readonly name: string;
  /** Columns of the input as its parent sees them. */
  readonly columns: readonly string[];
}

/** What a flat row's columns are called: `issue.title`, `subquery.total`, for EXISTS and scalars the subquery itself. */
export function flatNames(inputs: readonly NamedInput[]): (column: number) => string {
  return (column) => {
    const found = inputs.find(({ input }) => column >= input.offset && column < input.offset + input.width);
    if (found === undefined) return '?';
    const at = column - found.input.offset;
    if (found.input.join !== 'exists') return columnIn(found, at);
    return at === 0 ? `EXISTS ${found.name}` : columnIn(found, at - 1);
  };
}

export function columnIn({ input, name, columns }: NamedInput, at: number): string {
  if (input.join === 'scalar' && columns.length === 1) return name;
  return `${name}.${columns[at] ?? '?'}`;
}

/** What the output columns of a block are called: a column keeps its name, anything else is numbered. */
export function outputNames({ project }: Block, names: Names): readonly string[] {
  const taken = new Set<string>();
  return project.map((expression, at) => {
    const known = expression.op === 'column' ? names.column(expression.column) : '';
    const bare = /^[^ ()]*\.([^ .()]+)$/.exec(known)?.[1];
    const name = bare === undefined || taken.has(bare) ? `column${at + 1}` : bare;
    taken.add(name);
    return name;
  });
}

/** The grouped row: keys, aggregates, and what GROUPING says. */
export function groupedNames(
  group: NonNullable<Block['group']>,
  flat: ExpressionText,
  aggregate: (one: NonNullable<Block['group']>['aggregates'][number]) => string,
): (column: number) => string {
  const keys = group.keys.map((key) => flat.of(key));
  const marks = (group.marks ?? []).map((mark) => `grouping(${mark.map((key) => keys[key]).join(', ')})`);
  const all = [...keys, ...group.aggregates.map(aggregate), ...marks];
  return (column) => all[column] ?? '?';
}
