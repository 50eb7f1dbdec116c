import { analysisError } from './errors.js';
import type { Facts } from './facts.js';
import { isList, isNode, type TreeNode, type TreeValue } from './node-tree.js';
import type { Cte, Grouping, Query, Scalar, Select, SortKey, Source, Target, Window } from './query-tree.js';
import { frameOf } from './read-frame.js';
import { groupingSets } from './read-grouping.js';
import { isInlined, RelationReader } from './read-relation.js';
import { readKeys, readNullable, readScalar, readSortKeys, readTargets } from './read-scalar.js';
import { Reading, Scope, type Place } from './read-scope.js';
import { readSetOperation } from './read-set.js';
import {
  choiceOf,
  flagOf,
  nodeOf,
  nodesOf,
  nullableNode,
  numberOf,
  tagOf,
  textOf,
  textsOf,
} from './tree-fields.js';

export interface ReadOptions {
  readonly facts: Facts;
  /** The queries of the views that it reads through, and of those that they read through, by oid. */
  readonly views: ReadonlyMap<number, TreeNode>;
  readonly nodesMax?: number;
}

/**
 * The algebra of a query.
 * @param tree `prosqlbody` of a function of one statement, or `ev_action` of a view's rule.
 * @throws `analysis_unreadable` when it is not of a form that we know; `analysis_unavailable` at a bound.
 */
export function readQuery(tree: TreeValue, { facts, views, nodesMax }: ReadOptions): Query {
  return read(queryNode(tree), new Reading(facts, views, nodesMax), null, 0);
}

/**
 * An expression over the row of a table: a policy (`pg_policy.polqual`), a generated column (`pg_attrdef.adbin`).
 * @returns it with the number by which it calls the table.
 * @throws as `readQuery`
 */
export function readTableExpression(
  tree: TreeValue,
  table: number,
  { facts, views, nodesMax }: ReadOptions,
): { readonly expression: Scalar; readonly relation: number } {
  if (!isNode(tree)) throw analysisError('analysis_unreadable', 'not one expression');
  // As if it stood in a query of that table alone.
  const entry: TreeNode = {
    tag: 'RANGETBLENTRY',
    fields: new Map([
      ['rtekind', '0'],
      ['relid', String(table)],
    ]),
  };
  const around: TreeNode = {
    tag: 'QUERY',
    fields: new Map<string, TreeValue>([
      ['rtable', [entry]],
      ['cteList', null],
    ]),
  };
  const scope = new Scope(new Reading(facts, views, nodesMax), null, 0, around);
  const expression = readScalar(tree, { scope, depth: 0, query: within, tested: null });
  return { expression, relation: scope.idOf(1) };
}

/** The one query within lists within lists. */
export function queryNode(tree: TreeValue): TreeNode {
  let value = tree;
  while (isList(value) && value.length === 1) value = value[0] ?? null;
  if (!isNode(value) || value.tag !== 'QUERY') throw analysisError('analysis_unreadable', 'not one query');
  return value;
}

function read(node: TreeNode, reading: Reading, parent: Scope | null, depth: number): Query {
  if (tagOf(node) !== 'QUERY' || numberOf(node, 'commandType') !== SELECT)
    throw analysisError('analysis_unavailable', 'it holds something other than SELECT');
  if (nodesOf(node, 'rowMarks').length > 0) throw analysisError('analysis_unavailable', 'it locks rows');
  const scope = new Scope(reading, parent, depth, node);
  const place: Place = { scope, depth, query: within, tested: null };
  const ctes = readCtes(node, place);
  const targets = readTargets(nodesOf(node, 'targetList'), place);
  const setOperations = nullableNode(node, 'setOperations');
  const relations = new RelationReader(place, { query: within, view: viewQuery });
  return {
    with: ctes,
    body:
      setOperations === null
        ? readSelect(node, place, targets, relations)
        : readSetOperation(setOperations, place, within),
    order: orderOf(readSortKeys(nodesOf(node, 'sortClause'), place), setOperations === null ? null : targets),
    offset: readNullable(nullableNode(node, 'limitOffset'), place),
    limit: readNullable(nullableNode(node, 'limitCount'), place),
    withTies: choiceOf(node, 'limitOption', [false, true]),
    columns: targets
      .filter(({ junk }) => !junk)
      .map(({ name, expression }) => ({ name, type: expression.type })),
  };
}

const SELECT = 1;

/** @param columns of a set operation, which is ordered by its columns alone; null for any other query. */
function orderOf(keys: readonly SortKey[], columns: readonly Target[] | null): readonly SortKey[] {
  if (columns === null) return keys;
  return keys.map((key) => ({ ...key, ref: columns.findIndex(({ ref }) => ref === key.ref) + 1 }));
}

/** A query within another one, whose names it may use. */
function within(node: TreeNode, place: Place): Query {
  return read(node, place.scope.reading, place.scope, place.depth + 1);
}

function viewQuery(oid: number, place: Place): Query | null {
  const node = place.scope.reading.views.get(oid);
  return node === undefined ? null : read(node, place.scope.reading, null, place.depth + 1);
}

function readSelect(
  node: TreeNode,
  place: Place,
  targets: readonly Target[],
  relations: RelationReader,
): Select {
  const jointree = nodeOf(node, 'jointree');
  return {
    kind: 'select',
    from: nodesOf(jointree, 'fromlist').map((item) => readSource(item, place, relations)),
    where: readNullable(nullableNode(jointree, 'quals'), place),
    targets,
    grouping: readGrouping(node),
    having: readNullable(nullableNode(node, 'havingQual'), place),
    windows: nodesOf(node, 'windowClause').map((window) => readWindow(window, place)),
    distinct:
      nodesOf(node, 'distinctClause').length === 0
        ? null
        : { on: flagOf(node, 'hasDistinctOn'), keys: readKeys(nodesOf(node, 'distinctClause')) },
  };
}

function readSource(item: TreeNode, place: Place, relations: RelationReader): Source {
  switch (tagOf(item)) {
    case 'RANGETBLREF':
      return { kind: 'relation', relation: relations.read(numberOf(item, 'rtindex')) };
    case 'JOINEXPR':
      return {
        kind: 'join',
        join: choiceOf(item, 'jointype', ['inner', 'left', 'full', 'right'] as const),
        left: readSource(nodeOf(item, 'larg'), place, relations),
        right: readSource(nodeOf(item, 'rarg'), place, relations),
        on: readNullable(nullableNode(item, 'quals'), place),
      };
    default:
      throw analysisError('analysis_unreadable', `${item.tag} in FROM`);
  }
}

function readGrouping(node: TreeNode): Grouping | null {
  const keys = readKeys(nodesOf(node, 'groupClause'));
  const sets = nodesOf(node, 'groupingSets');
  const groups =
    keys.length > 0 ||
    sets.length > 0 ||
    flagOf(node, 'hasAggs') ||
    nullableNode(node, 'havingQual') !== null;
  if (!groups) return null;
  if (sets.length === 0) return { keys, sets: [keys.map(({ ref }) => ref)], several: false };
  return { keys, sets: groupingSets(sets, flagOf(node, 'groupDistinct')), several: true };
}

function readWindow(node: TreeNode, place: Place): Window {
  return {
    ref: numberOf(node, 'winref'),
    partition: readKeys(nodesOf(node, 'partitionClause')),
    order: readSortKeys(nodesOf(node, 'orderClause'), place),
    frame: frameOf(
      numberOf(node, 'frameOptions'),
      readNullable(nullableNode(node, 'startOffset'), place),
      readNullable(nullableNode(node, 'endOffset'), place),
    ),
  };
}

/** Those that stand for themselves; the others are read where they are used. */
function readCtes(node: TreeNode, place: Place): readonly Cte[] {
  const kept = nodesOf(node, 'cteList').filter((cte) => !isInlined(cte, place.scope.reading.facts));
  // All are known before the first is read: recursive ones refer to themselves.
  for (const cte of kept) place.scope.ctes.set(cte, place.scope.reading.next());
  return kept.map((cte) => readCte(cte, place));
}

function readCte(cte: TreeNode, place: Place): Cte {
  const search = nullableNode(cte, 'search_clause');
  const cycle = nullableNode(cte, 'cycle_clause');
  return {
    id: place.scope.ctes.get(cte) ?? 0,
    name: textOf(cte, 'ctename'),
    columns: textsOf(cte, 'ctecolnames'),
    recursive: flagOf(cte, 'cterecursive'),
    materialized: choiceOf<boolean | null>(cte, 'ctematerialized', [null, true, false]),
    query: within(nodeOf(cte, 'ctequery'), place),
    search:
      search === null
        ? null
        : {
            breadthFirst: flagOf(search, 'search_breadth_first'),
            by: textsOf(search, 'search_col_list'),
            column: textOf(search, 'search_seq_column'),
          },
    cycle: cycle === null ? null : readCycle(cycle, place),
  };
}

function readCycle(cycle: TreeNode, place: Place): Cte['cycle'] {
  const value = (name: string): Scalar => readScalar(nodeOf(cycle, name), place);
  return {
    by: textsOf(cycle, 'cycle_col_list'),
    mark: textOf(cycle, 'cycle_mark_column'),
    value: value('cycle_mark_value'),
    otherwise: value('cycle_mark_default'),
    path: textOf(cycle, 'cycle_path_column'),
  };
}
