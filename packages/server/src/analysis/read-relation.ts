import { analysisError } from './errors.js';
import { visitNodes, type Facts } from './facts.js';
import type { TreeNode } from './node-tree.js';
import type { FunctionSource, OutputColumn, Query, Relation } from './query-tree.js';
import { readScalar, readScalars } from './read-scalar.js';
import type { Place } from './read-scope.js';
import {
  flagOf,
  listOf,
  nodeOf,
  nodesOf,
  nullableNode,
  numberOf,
  numbersOf,
  tagOf,
  textOf,
  textsOf,
} from './tree-fields.js';

/** What relations need of the reader of queries. */
export interface QueryReader {
  /** A query that may use the names of the place. */
  query(node: TreeNode, place: Place): Query;
  /** The query of a view; null when it was not read. */
  view(oid: number, place: Place): Query | null;
}

const KINDS = ['relation', 'subquery', 'join', 'function', 'tablefunc', 'values', 'cte'] as const;

/** The entries of a query's range table that stand in its FROM. */
export class RelationReader {
  readonly #place: Place;
  readonly #reader: QueryReader;

  constructor(place: Place, reader: QueryReader) {
    this.#place = place;
    this.#reader = reader;
  }

  read(index: number): Relation {
    const place = this.#place;
    place.scope.reading.count();
    const entry = place.scope.entry(index);
    const eref = nodeOf(entry, 'eref');
    const base = {
      id: place.scope.idOf(index),
      name: textOf(eref, 'aliasname'),
      columns: textsOf(eref, 'colnames'),
    };
    const kind = KINDS[numberOf(entry, 'rtekind')];
    switch (kind) {
      case 'relation':
        return this.#table(entry, base);
      case 'subquery': {
        const query = this.#reader.query(nodeOf(entry, 'subquery'), place);
        return { ...base, kind: 'subquery', query, lateral: flagOf(entry, 'lateral'), view: null };
      }
      case 'function':
        return {
          ...base,
          kind: 'functions',
          functions: nodesOf(entry, 'functions').map((node) => readFunction(node, place)),
          ordinality: flagOf(entry, 'funcordinality'),
          lateral: flagOf(entry, 'lateral'),
        };
      case 'values':
        return { ...base, kind: 'values', ...valuesOf(entry, place) };
      case 'cte':
        return this.#cte(entry, base);
      default:
        return { ...base, kind: 'unknown', tag: kind ?? `RANGETBLENTRY ${textOf(entry, 'rtekind')}` };
    }
  }

  #table(entry: TreeNode, base: Pick<Relation, 'id' | 'name' | 'columns'>): Relation {
    const oid = numberOf(entry, 'relid');
    const kind = textOf(entry, 'relkind');
    if (nullableNode(entry, 'tablesample') !== null)
      return { ...base, kind: 'unknown', tag: 'TABLESAMPLECLAUSE' };
    if (kind !== 'v') return { ...base, kind: 'table', oid, inherit: flagOf(entry, 'inh') };
    const query = this.#reader.view(oid, this.#place);
    if (query === null) return { ...base, kind: 'unknown', tag: 'VIEW' };
    return { ...base, kind: 'subquery', query, lateral: false, view: oid };
  }

  #cte(entry: TreeNode, base: Pick<Relation, 'id' | 'name' | 'columns'>): Relation {
    const { scope } = this.#place;
    const home = scope.up(numberOf(entry, 'ctelevelsup'));
    const name = textOf(entry, 'ctename');
    const node = nodesOf(home.node, 'cteList').find((cte) => textOf(cte, 'ctename') === name);
    if (node === undefined) throw analysisError('analysis_unreadable', 'a WITH query that is not there');
    const id = home.ctes.get(node);
    if (id !== undefined) return { ...base, kind: 'cte', cte: id, self: flagOf(entry, 'self_reference') };
    const query = this.#reader.query(nodeOf(node, 'ctequery'), { ...this.#place, scope: home });
    // It may use what stands around the query that it belongs to, never what stands beside it here.
    return { ...base, kind: 'subquery', query, lateral: false, view: null };
  }
}

function readFunction(node: TreeNode, place: Place): FunctionSource {
  const names = listOf(node, 'funccolnames').length === 0 ? null : textsOf(node, 'funccolnames');
  const types = numbersOf(node, 'funccoltypes');
  const modifiers = numbersOf(node, 'funccoltypmods');
  const collations = numbersOf(node, 'funccolcollations');
  const definition: readonly OutputColumn[] | null =
    names?.map((name, at) => ({
      name,
      type: { oid: types[at] ?? 0, modifier: modifiers[at] ?? -1, collation: collations[at] ?? 0 },
    })) ?? null;
  return {
    call: readScalar(nodeOf(node, 'funcexpr'), place),
    columnCount: numberOf(node, 'funccolcount'),
    definition,
  };
}

function valuesOf(
  entry: TreeNode,
  place: Place,
): Pick<Relation & { kind: 'values' }, 'rows' | 'types' | 'lateral'> {
  const modifiers = numbersOf(entry, 'coltypmods');
  const collations = numbersOf(entry, 'colcollations');
  return {
    rows: listOf(entry, 'values_lists').map((row) =>
      readScalars(nodesOf({ tag: 'VALUES', fields: new Map([['row', row]]) }, 'row'), place),
    ),
    types: numbersOf(entry, 'coltypes').map((oid, at) => ({
      oid,
      modifier: modifiers[at] ?? -1,
      collation: collations[at] ?? 0,
    })),
    lateral: flagOf(entry, 'lateral'),
  };
}

/**
 * Whether a WITH query may stand in place of its name: each use a query of its own. Not where it is recursive, was
 * asked to be materialized, has functions that may answer otherwise the next time, or is read several times and
 * leaves open which rows it returns.
 */
export function isInlined(cte: TreeNode, facts: Facts): boolean {
  if (flagOf(cte, 'cterecursive') || numberOf(cte, 'ctematerialized') === ALWAYS) return false;
  if (nullableNode(cte, 'search_clause') !== null || nullableNode(cte, 'cycle_clause') !== null) return false;
  const query = nodeOf(cte, 'ctequery');
  const shared = numberOf(cte, 'cterefcount') > 1;
  let inlined = true;
  visitNodes(query, (node) => {
    if (shared && tagOf(node) === 'QUERY' && leavesOpen(node)) inlined = false;
    for (const name of ['funcid', 'opfuncid', 'winfnoid', 'aggfnoid'])
      if (node.fields.has(name) && facts.functions.get(numberOf(node, name))?.volatility === 'v')
        inlined = false;
  });
  return inlined;
}

const ALWAYS = 1;

function leavesOpen(query: TreeNode): boolean {
  return (
    nullableNode(query, 'limitCount') !== null ||
    nullableNode(query, 'limitOffset') !== null ||
    flagOf(query, 'hasDistinctOn') ||
    flagOf(query, 'hasWindowFuncs')
  );
}
