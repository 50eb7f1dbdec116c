import type { Query, Relation, Scalar, Select, Source, Target } from '../../analysis/query-tree.js';
import { conjuncts, exchange, isSubquery } from './scalars.js';

/**
 * A query that groups and has subqueries beside its groups becomes a query over its groups:
 *
 *   SELECT p.id, count(*), (SELECT … WHERE x = p.id) FROM p … GROUP BY p.id
 *   SELECT g.id, g.count, (SELECT … WHERE x = g.id) FROM (SELECT p.id, count(*) FROM p … GROUP BY p.id) g
 *
 * so that a subquery hangs on a row, as everywhere. Other queries are returned as they are.
 * @param relation a number that no relation has
 */
export function withGroupsApart(query: Query, relation: () => number): Query {
  const { body } = query;
  if (body.kind !== 'select' || body.grouping === null) return query;
  const conditions = conjuncts(body.having);
  if (![...body.targets.map(({ expression }) => expression), ...conditions].some(hasSubquery)) return query;
  const groups = new Groups(body, relation());
  const where = conditions.filter(hasSubquery).map((condition) => groups.over(condition));
  const targets = body.targets.map((target) => ({ ...target, expression: groups.over(target.expression) }));
  const over: Select = {
    ...body,
    from: [],
    where: allOf(where),
    targets,
    grouping: null,
    having: null,
  };
  const having = allOf(conditions.filter((condition) => !hasSubquery(condition)));
  return { ...query, body: { ...over, from: [groups.source(having)] } };
}

/** The grouped query in the making: its columns are the keys, the aggregates, and what depends on a key. */
class Groups {
  readonly #select: Select;
  readonly #id: number;
  readonly #own: ReadonlySet<number>;
  readonly #targets: Target[] = [];
  readonly #texts: string[] = [];

  constructor(select: Select, id: number) {
    this.#select = select;
    this.#id = id;
    this.#own = relationsOf(select.from);
    for (const { ref } of select.grouping?.keys ?? []) {
      const target = select.targets.find((one) => one.ref === ref);
      if (target !== undefined) this.#add(target.expression, ref);
    }
  }

  over(scalar: Scalar): Scalar {
    return this.#visit(scalar, 0) as Scalar;
  }

  /** @param depth how many subqueries it is within */
  #visit(value: unknown, depth: number): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#visit(item, depth));
    if (typeof value !== 'object' || value === null) return value;
    const known = 'kind' in value && 'type' in value ? this.#exchanged(value as Scalar, depth) : null;
    if (known !== null) return known;
    const below = 'body' in value ? depth + 1 : depth;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.#visit(part, below)]));
  }

  #exchanged(part: Scalar, depth: number): Scalar | null {
    const known = this.#texts.indexOf(textOf(part));
    const isOwn =
      part.kind === 'column'
        ? this.#own.has(part.relation)
        : (part.kind === 'aggregate' || part.kind === 'grouping') && part.up === depth;
    // Within a subquery a key that is computed is not one: Postgres takes columns alone there.
    if (known >= 0 && (isOwn || depth === 0)) return this.#column(known, part);
    return isOwn ? this.#column(this.#add(part, 0), part) : null;
  }

  source(having: Scalar | null): Source {
    const columns = this.#targets.map(({ name, expression: { type } }) => ({ name, type }));
    const query: Query = {
      with: [],
      body: { ...this.#select, targets: this.#targets, having, windows: [], distinct: null },
      order: [],
      offset: null,
      limit: null,
      withTies: false,
      columns,
    };
    const relation: Relation = {
      kind: 'subquery',
      id: this.#id,
      name: '',
      columns: columns.map(({ name }) => name),
      query,
      lateral: true,
      view: null,
    };
    return { kind: 'relation', relation };
  }

  #add(scalar: Scalar, ref: number): number {
    const expression =
      scalar.kind === 'aggregate' || scalar.kind === 'grouping' ? { ...scalar, up: 0 } : scalar;
    this.#texts.push(textOf(scalar));
    return this.#targets.push({ expression, name: '', junk: false, ref }) - 1;
  }

  #column(at: number, { type }: Scalar): Scalar {
    return { kind: 'column', relation: this.#id, column: at + 1, up: 0, type };
  }
}

/** Whether it has one beside its aggregates. */
function hasSubquery(scalar: Scalar): boolean {
  let found = false;
  exchange(scalar, (part) => {
    if (isSubquery(part)) found = true;
    return found || part.kind === 'aggregate' ? part : undefined;
  });
  return found;
}

/** An outer query's name is the same however many queries are between. */
function textOf(scalar: Scalar): string {
  return JSON.stringify(scalar, (name, value: unknown) => (name === 'up' ? undefined : value));
}

function allOf(conditions: readonly Scalar[]): Scalar | null {
  const [first] = conditions;
  if (first === undefined) return null;
  return conditions.length === 1 ? first : { kind: 'and', args: conditions, type: first.type };
}

function relationsOf(sources: readonly Source[]): Set<number> {
  return new Set(
    sources.flatMap((source) =>
      source.kind === 'relation' ? [source.relation.id] : [...relationsOf([source.left, source.right])],
    ),
  );
}
