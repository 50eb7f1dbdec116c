import type { SelectStmt } from 'libpg-query';
import { plannerError } from './errors.js';
import { Scope } from './scope.js';

/**
 * Everything that a statement names, found by one walk over its tree: the raw material for resolving. Takes the
 * cautious side: what may be a function or a table is listed as one.
 */
export interface References {
  /** Without those that are common table expressions in scope. */
  readonly relations: readonly NamedRelation[];
  readonly functions: readonly NamedFunction[];
  /** `a.b` and `(a).b`, where `b` may be a function of one row (Postgres manual, "Using Composite Types in Queries"). */
  readonly attributes: ReadonlySet<string>;
  readonly operators: readonly NamedOperator[];
  readonly types: readonly NamedType[];
  /** Where the clock is read by syntax: CURRENT_DATE and its kind. */
  readonly clock: boolean;
  /** String constants, with what is known of the type they will take. */
  readonly strings: readonly StringConstant[];
  /** `$n`, in the order of the text. */
  readonly params: readonly ParamLocation[];
  /** An aggregate in the SQL/JSON syntax stands over parameters alone. */
  readonly paramsAggregated: boolean;
}

export interface Named {
  readonly schema: string | null;
  readonly name: string;
  /** Byte offset; -1 when unknown. */
  readonly location: number;
}

export type NamedRelation = Named;
export type NamedType = Named;
export type NamedOperator = Named;

export interface NamedFunction extends Named {
  readonly args: number;
  /** A parameter stands in its arguments and no column does: as an outer reference it would leave its query level. */
  readonly paramsOnly: boolean;
}

export interface StringConstant {
  readonly value: string;
  /** Names of the columns that it is compared with, null when it stands elsewhere. */
  readonly besideColumn: string | null;
  /** Cast at once to this type. */
  readonly castTo: string | null;
}

export interface ParamLocation {
  /** Zero-based. */
  readonly index: number;
  readonly start: number;
}

/** @throws `select_only`, `locking_refused`, `sample_refused`: what no level of a live query may hold. */
export function collectReferences(select: SelectStmt): References {
  const collector = new Collector();
  collector.select(select, Scope.EMPTY);
  return collector.result();
}

type Tree = Readonly<Record<string, unknown>>;

/** Fields that hold a node without naming its kind. */
const DIRECT_FIELDS: Readonly<Record<string, string>> = {
  larg: 'SelectStmt',
  rarg: 'SelectStmt',
  typeName: 'TypeName',
  intoClause: 'IntoClause',
};

class Collector {
  readonly #relations: NamedRelation[] = [];
  readonly #functions: NamedFunction[] = [];
  readonly #attributes = new Set<string>();
  readonly #operators: NamedOperator[] = [];
  readonly #types: NamedType[] = [];
  readonly #strings: StringConstant[] = [];
  readonly #params: ParamLocation[] = [];
  #clock = false;
  #paramsAggregated = false;

  result(): References {
    return {
      relations: this.#relations,
      functions: this.#functions,
      attributes: this.#attributes,
      operators: this.#operators,
      types: this.#types,
      clock: this.#clock,
      strings: this.#strings,
      params: this.#params.toSorted((a, b) => a.start - b.start),
      paramsAggregated: this.#paramsAggregated,
    };
  }

  /**
   * A query level. A plain WITH sees the entries before it; WITH RECURSIVE sees all of them (Postgres manual,
   * "WITH Queries"); everything below the level sees them all.
   */
  select(select: SelectStmt, outer: Scope): void {
    let scope = outer;
    const { withClause, ...rest } = select;
    const entries = (withClause?.ctes ?? []).flatMap((node) =>
      'CommonTableExpr' in node ? [node.CommonTableExpr] : [],
    );
    if (withClause?.recursive === true) for (const entry of entries) scope = scope.with(entry.ctename ?? '');
    for (const entry of entries) {
      this.#visit(entry, scope);
      if (withClause?.recursive !== true) scope = scope.with(entry.ctename ?? '');
    }
    if (rest.lockingClause !== undefined) throw plannerError('locking_refused');
    this.#visit(rest, scope);
  }

  #visit(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#visit(item, scope);
    } else if (isTree(value)) {
      for (const [key, inner] of Object.entries(value)) {
        const kind = DIRECT_FIELDS[key] ?? (/^[A-Z]/.test(key) ? key : null);
        if (kind !== null && isTree(inner)) this.#node(kind, inner, scope);
        else this.#visit(inner, scope);
      }
    }
  }

  #node(kind: string, node: Tree, scope: Scope): void {
    if (kind === 'SelectStmt') return this.select(node as SelectStmt, scope);
    if (kind.endsWith('Stmt') || kind === 'IntoClause') throw plannerError('select_only');
    switch (kind) {
      case 'RangeVar':
        this.#relation(node, scope);
        break;
      case 'RangeTableSample':
        throw plannerError('sample_refused');
      case 'LockingClause':
        throw plannerError('locking_refused');
      case 'FuncCall':
        this.#function(node);
        break;
      case 'TypeName':
        this.#type(node);
        break;
      case 'TypeCast':
        if (this.#castString(node)) return;
        break;
      case 'A_Expr':
        this.#operatorNames(node, ['name']);
        if (String(node['kind']).includes('BETWEEN')) this.#implied('<', '<=', '>', '>=');
        this.#comparison(node);
        break;
      case 'SubLink':
        this.#operatorNames(node, ['operName']);
        if (node['subLinkType'] === 'ANY_SUBLINK' && node['operName'] === undefined) this.#implied('=');
        break;
      case 'JsonArrayAgg':
      case 'JsonObjectAgg':
        this.#paramsAggregated ||= contains(node, 'ParamRef') && !contains(node, 'ColumnRef');
        break;
      case 'CaseExpr':
        if (node['arg'] !== undefined) this.#implied('=');
        break;
      case 'JoinExpr':
        if (node['usingClause'] !== undefined || node['isNatural'] === true) this.#implied('=');
        break;
      case 'SortBy':
        this.#operatorNames(node, ['useOp']);
        break;
      case 'ColumnRef':
        this.#attributeNames(node['fields'], 1);
        break;
      case 'A_Indirection':
        this.#attributeNames(node['indirection'], 0);
        break;
      case 'SQLValueFunction':
        this.#clock ||= CLOCK_OPERATIONS.test(String(node['op']));
        break;
      case 'A_Const':
        this.#string(node, null, null);
        break;
      case 'ParamRef':
        this.#params.push({
          index: (numberOf(node['number']) ?? 0) - 1,
          start: numberOf(node['location']) ?? 0,
        });
        break;
      default:
    }
    this.#visit(node, scope);
  }

  #relation(node: Tree, scope: Scope): void {
    const schema = textOf(node['schemaname']);
    const name = textOf(node['relname']) ?? '';
    if (schema === null && scope.has(name)) return;
    this.#relations.push({ schema, name, location: numberOf(node['location']) ?? 0 });
  }

  #function(node: Tree): void {
    const { schema, name } = qualified(node['funcname']);
    const args = Array.isArray(node['args']) ? node['args'] : [];
    const ordered =
      node['agg_within_group'] === true && Array.isArray(node['agg_order']) ? node['agg_order'] : [];
    const inside = [args, node['agg_order'], node['agg_filter']];
    this.#functions.push({
      schema,
      name,
      location: numberOf(node['location']) ?? 0,
      args: args.length + ordered.length,
      paramsOnly: contains(inside, 'ParamRef') && !contains(inside, 'ColumnRef'),
    });
  }

  #type(node: Tree): void {
    const { schema, name } = qualified(node['names']);
    this.#types.push({ schema, name, location: numberOf(node['location']) ?? 0 });
  }

  /** Keeps the two halves together, so that `'today'::text` is known to be no date. */
  #castString(node: Tree): boolean {
    const constant = isTree(node['arg']) ? node['arg']['A_Const'] : undefined;
    if (!isTree(constant) || !isTree(node['typeName'])) return false;
    this.#type(node['typeName']);
    this.#string(constant, null, qualified(node['typeName']['names']).name);
    return true;
  }

  #comparison(node: Tree): void {
    const column = columnName(node['lexpr']) ?? columnName(node['rexpr']);
    if (column === null) return;
    for (const side of [node['lexpr'], node['rexpr']])
      for (const constant of constantsOf(side)) this.#string(constant, column, null);
  }

  /** A constant beside a column is seen twice, first with the column: the first sight counts. */
  #string(constant: Tree, besideColumn: string | null, castTo: string | null): void {
    const value = isTree(constant['sval']) ? textOf(constant['sval']['sval']) : null;
    if (value === null || this.#seenConstants.has(constant)) return;
    this.#seenConstants.add(constant);
    this.#strings.push({ value, besideColumn, castTo });
  }
  readonly #seenConstants = new Set<Tree>();

  #operatorNames(node: Tree, fields: readonly string[]): void {
    const location = numberOf(node['location']) ?? 0;
    for (const field of fields) {
      if (!Array.isArray(node[field])) continue;
      const { schema, name } = qualified(node[field]);
      this.#operators.push({ schema, name, location });
    }
  }

  /** Looked up by name without being written. (Sorting and grouping go by the type's own operator class instead.) */
  #implied(...names: readonly string[]): void {
    for (const name of names) this.#operators.push({ schema: null, name, location: -1 });
  }

  #attributeNames(fields: unknown, from: number): void {
    if (!Array.isArray(fields)) return;
    for (const field of fields.slice(from)) {
      const name = stringOf(field);
      if (name !== null) this.#attributes.add(name);
    }
  }
}

const CLOCK_OPERATIONS = /CURRENT_DATE|CURRENT_TIME|LOCALTIME/;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** The text of a `String` node. */
function stringOf(node: unknown): string | null {
  return isTree(node) && isTree(node['String']) ? (textOf(node['String']['sval']) ?? '') : null;
}

/** `[schema.]name`; a database name before it is left out, Postgres refuses any but the current one. */
function qualified(names: unknown): { readonly schema: string | null; readonly name: string } {
  const parts = Array.isArray(names) ? names.map(stringOf).filter((part) => part !== null) : [];
  return { schema: parts.length > 1 ? (parts[parts.length - 2] ?? null) : null, name: parts.at(-1) ?? '' };
}

function columnName(node: unknown): string | null {
  if (!isTree(node) || !isTree(node['ColumnRef']) || !Array.isArray(node['ColumnRef']['fields'])) return null;
  return stringOf(node['ColumnRef']['fields'].at(-1));
}

/** The constants that stand directly on one side of a comparison, or in its list. */
function constantsOf(node: unknown): readonly Tree[] {
  if (!isTree(node)) return [];
  if (isTree(node['A_Const'])) return [node['A_Const']];
  const list = isTree(node['List']) ? node['List']['items'] : undefined;
  return Array.isArray(list) ? list.flatMap(constantsOf) : [];
}

function contains(value: unknown, kind: string): boolean {
  if (Array.isArray(value)) return value.some((item) => contains(item, kind));
  if (!isTree(value)) return false;
  return Object.entries(value).some(([key, inner]) => key === kind || contains(inner, kind));
}
