import { quoteIdentifier } from '../source/quote.js';
import { analysisError } from './errors.js';
import type { Facts, TypeFact } from './facts.js';
import type { Cte, Relation, Scalar, TypeUse } from './query-tree.js';

/** Names for SQL text, whatever the search_path of whoever runs it: everything is qualified. */
export class Names {
  readonly #facts: Facts;
  readonly #relations = new Map<number, Relation>();
  readonly #ctes = new Map<number, Cte>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Makes a relation known before what refers to it is printed. */
  add(relation: Relation): void {
    this.#relations.set(relation.id, relation);
  }

  addCte(cte: Cte): void {
    this.#ctes.set(cte.id, cte);
  }

  relation(id: number): string {
    return quoteIdentifier(`#${id}`);
  }

  cte(id: number): string {
    return quoteIdentifier(`@${id}`);
  }

  table(oid: number): string {
    const fact = known(this.#facts.relations.get(oid), 'a table');
    return `${quoteIdentifier(fact.schema)}.${quoteIdentifier(fact.name)}`;
  }

  /** A column, a system column, or the whole row of a relation. */
  column(id: number, column: number): string {
    const relation = known(this.#relations.get(id), 'a relation');
    if (column === 0) {
      const row = this.relation(id);
      if (relation.kind !== 'subquery' || relation.view === null) return row;
      // As a row of the view, not of the query that stands for it; null where an outer join found none.
      return `CASE WHEN ${row} IS DISTINCT FROM NULL THEN (${row}.*)::${this.table(relation.view)} END`;
    }
    return `${this.relation(id)}.${this.#columnName(relation, column)}`;
  }

  /** The list of names after an alias. */
  columns(relation: Relation): string {
    // What SEARCH and CYCLE add keeps its name.
    const inner = relation.kind === 'cte' ? this.#ctes.get(relation.cte)?.query.columns : undefined;
    const columns = relation.columns.slice(0, inner?.length);
    if (columns.length === 0) return '';
    const names = columns.map((_, at) => this.#columnName(relation, at + 1));
    return `(${names.join(', ')})`;
  }

  #columnName(relation: Relation, column: number): string {
    if (column < 0) return known(SYSTEM_COLUMNS[column], 'a system column');
    if (relation.kind === 'table')
      return quoteIdentifier(
        known(this.#facts.relations.get(relation.oid)?.columns[String(column)], 'a column'),
      );
    const name = relation.columns[column - 1] ?? '';
    const usable = name !== '' && relation.columns.indexOf(name) === relation.columns.lastIndexOf(name);
    return quoteIdentifier(usable ? name : `#${column}`);
  }

  fn(oid: number): string {
    const fact = known(this.#facts.functions.get(oid), 'a function');
    return `${quoteIdentifier(fact.schema)}.${quoteIdentifier(fact.name)}`;
  }

  operator(oid: number): string {
    const fact = known(this.#facts.operators.get(oid), 'an operator');
    return `OPERATOR(${quoteIdentifier(fact.schema)}.${fact.name})`;
  }

  isPrefix(operator: number): boolean {
    return this.#facts.operators.get(operator)?.left === 0;
  }

  collation(oid: number): string {
    const fact = known(this.#facts.collations.get(oid), 'a collation');
    return `${quoteIdentifier(fact.schema)}.${quoteIdentifier(fact.name)}`;
  }

  /** With its modifier where we know how it is written. */
  type({ oid, modifier }: TypeUse): string {
    const fact = known(this.#facts.types.get(oid), 'a type');
    const element = fact.element === null ? undefined : this.#facts.types.get(fact.element);
    const { schema, name } = element ?? fact;
    const written = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}${modifierText(element?.oid ?? oid, modifier)}`;
    return element === undefined ? written : `${written}[]`;
  }

  isPseudo(oid: number): boolean {
    return this.#facts.types.get(oid)?.kind === 'p';
  }

  /** A field of a composite type; of what a function returns; of an anonymous row f1, f2, …. */
  field(row: Scalar, field: number): string {
    const outputs = row.kind === 'call' ? this.#facts.functions.get(row.fn)?.outputs : null;
    return quoteIdentifier(
      this.#fields(row.type.oid)?.[String(field)] ?? outputs?.[field - 1] ?? `f${field}`,
    );
  }

  #fields(type: number): TypeFact['fields'] {
    const fact = this.#facts.types.get(type);
    return fact?.base === undefined || fact.base === null ? (fact?.fields ?? null) : this.#fields(fact.base);
  }
}

const SYSTEM_COLUMNS: Readonly<Record<number, string>> = {
  [-1]: 'ctid',
  [-2]: 'xmin',
  [-3]: 'cmin',
  [-4]: 'xmax',
  [-5]: 'cmax',
  [-6]: 'tableoid',
};

const VARHDRSZ = 4;

function modifierText(type: number, modifier: number): string {
  if (modifier < VARHDRSZ) return '';
  const plain = modifier - VARHDRSZ;
  if (type === 1042 || type === 1043) return `(${plain})`;
  // The scale is eleven bits with a sign.
  if (type === 1700) return `(${(plain >> 16) & 0xffff}, ${((plain & 0x7ff) ^ 1024) - 1024})`;
  return '';
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined)
    throw analysisError('analysis_unavailable', `${what} that the catalog does not name`);
  return value;
}
