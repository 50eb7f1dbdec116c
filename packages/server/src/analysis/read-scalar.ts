import { constantOf } from './constant.js';
import { analysisError } from './errors.js';
import type { TreeNode } from './node-tree.js';
import { typeOf } from './node-type.js';
import type { Key, Scalar, ScalarNode, SortKey, Target, TypeUse } from './query-tree.js';
import type { Place } from './read-scope.js';
import {
  at,
  choiceOf,
  flagOf,
  nodeOf,
  nodesOf,
  nullableNode,
  nullableNodesOf,
  nullableText,
  numberOf,
  numbersOf,
  tagOf,
  textOf,
  textsOf,
} from './tree-fields.js';

/** An expression of a tree as one of the algebra. */
export function readScalar(node: TreeNode, place: Place): Scalar {
  place.scope.reading.count();
  const reader = READERS[tagOf(node)];
  if (reader === undefined) return { kind: 'unknown', tag: tagOf(node), type: typeOf(node) };
  const made = reader(node, place);
  return 'type' in made ? made : { ...made, type: typeOf(node) };
}

export function readScalars(nodes: readonly TreeNode[], place: Place): readonly Scalar[] {
  return nodes.map((node) => readScalar(node, place));
}

export function readNullable(node: TreeNode | null, place: Place): Scalar | null {
  return node === null ? null : readScalar(node, place);
}

export function readTargets(nodes: readonly TreeNode[], place: Place): readonly Target[] {
  return nodes.map((node) => ({
    expression: readScalar(nodeOf(node, 'expr'), place),
    name: nullableText(node, 'resname') ?? '',
    junk: flagOf(node, 'resjunk'),
    ref: numberOf(node, 'ressortgroupref'),
  }));
}

export function readKeys(nodes: readonly TreeNode[]): readonly Key[] {
  return nodes.map((node) => ({ ref: numberOf(node, 'tleSortGroupRef'), equal: numberOf(node, 'eqop') }));
}

export function readSortKeys(nodes: readonly TreeNode[], place: Place): readonly SortKey[] {
  return nodes.map((node) => {
    const operator = numberOf(node, 'sortop');
    return {
      ref: numberOf(node, 'tleSortGroupRef'),
      equal: numberOf(node, 'eqop'),
      operator,
      descending: place.scope.reading.facts.operators.get(operator)?.order === 'greater',
      nullsFirst: flagOf(node, 'nulls_first'),
    };
  });
}

type Reader = (node: TreeNode, place: Place) => ScalarNode | Scalar;

const READERS: Readonly<Record<string, Reader>> = {
  VAR: readVar,
  CONST: (node, { scope }) => constantOf(node, scope.reading.facts),
  PARAM: readParam,
  FUNCEXPR: (node, place) => ({
    kind: 'call',
    fn: numberOf(node, 'funcid'),
    operator: 0,
    args: readScalars(nodesOf(node, 'args'), place),
    collation: numberOf(node, 'inputcollid'),
    form: choiceOf(node, 'funcformat', ['call', 'cast', 'implicit cast', 'call'] as const),
    variadic: flagOf(node, 'funcvariadic'),
    returnsSet: flagOf(node, 'funcretset'),
  }),
  OPEXPR: (node, place) => ({
    kind: 'call',
    ...operatorOf(node, place),
    args: readScalars(nodesOf(node, 'args'), place),
    collation: numberOf(node, 'inputcollid'),
    form: 'operator',
    variadic: false,
    returnsSet: flagOf(node, 'opretset'),
  }),
  DISTINCTEXPR: (node, place) => ({ kind: 'distinct', ...pairOf(node, place) }),
  NULLIFEXPR: (node, place) => ({ kind: 'nullif', ...pairOf(node, place) }),
  SCALARARRAYOPEXPR: (node, place) => {
    const { left, right, ...operator } = pairOf(node, place);
    return { kind: flagOf(node, 'useOr') ? 'any' : 'all', ...operator, left, array: right };
  },
  BOOLEXPR: (node, place) => {
    const args = readScalars(nodesOf(node, 'args'), place);
    const op = textOf(node, 'boolop');
    if (op === 'not') return { kind: 'not', arg: at(args, 0, node) };
    return { kind: op === 'or' ? 'or' : 'and', args };
  },
  NULLTEST: (node, place) => ({
    kind: choiceOf(node, 'nulltesttype', ['is null', 'is not null'] as const),
    arg: argOf(node, place),
    ofRow: flagOf(node, 'argisrow'),
  }),
  BOOLEANTEST: (node, place) => {
    const test = numberOf(node, 'booltesttype');
    const value = choiceOf(node, 'booltesttype', [true, true, false, false, null, null]);
    return { kind: 'is', arg: argOf(node, place), value, negated: test % 2 === 1 };
  },
  CASEEXPR: readCase,
  CASETESTEXPR: (node, place) =>
    place.tested === null ? { kind: 'element' } : readScalar(place.tested, { ...place, tested: null }),
  COALESCEEXPR: (node, place) => ({ kind: 'coalesce', args: readScalars(nodesOf(node, 'args'), place) }),
  MINMAXEXPR: (node, place) => ({
    kind: choiceOf(node, 'op', ['greatest', 'least'] as const),
    args: readScalars(nodesOf(node, 'args'), place),
    collation: numberOf(node, 'inputcollid'),
  }),
  ARRAYEXPR: (node, place) => ({
    kind: 'array',
    elements: readScalars(nodesOf(node, 'elements'), place),
    element: numberOf(node, 'element_typeid'),
    nested: flagOf(node, 'multidims'),
  }),
  ROWEXPR: (node, place) => ({
    kind: 'row',
    fields: readScalars(nodesOf(node, 'args'), place),
    names: textsOf(node, 'colnames'),
  }),
  ROWCOMPAREEXPR: (node, place) => ({
    kind: 'compare rows',
    comparison: choiceOf(renamed(node), 'cmptype', [undefined, '<', '<=', undefined, '>=', '>'] as const),
    operators: numbersOf(node, 'opnos'),
    left: readScalars(nodesOf(node, 'largs'), place),
    right: readScalars(nodesOf(node, 'rargs'), place),
    collations: numbersOf(node, 'inputcollids'),
  }),
  FIELDSELECT: (node, place) => ({
    kind: 'field',
    arg: argOf(node, place),
    field: numberOf(node, 'fieldnum'),
  }),
  SUBSCRIPTINGREF: (node, place) => ({
    kind: 'subscript',
    base: readScalar(nodeOf(node, 'refexpr'), place),
    upper: nullableNodesOf(node, 'refupperindexpr').map((bound) => readNullable(bound, place)),
    lower: nullableNodesOf(node, 'reflowerindexpr').map((bound) => readNullable(bound, place)),
  }),
  RELABELTYPE: (node, place) => ({
    kind: 'relabel',
    arg: argOf(node, place),
    implicit: numberOf(node, 'relabelformat') === IMPLICIT_CAST,
  }),
  COLLATEEXPR: (node, place) => {
    const arg = argOf(node, place);
    const collation = numberOf(node, 'collOid');
    return { kind: 'collate', arg, collation, type: { ...arg.type, collation } };
  },
  COERCEVIAIO: (node, place) => ({ kind: 'io cast', arg: argOf(node, place) }),
  ARRAYCOERCEEXPR: (node, place) => ({
    kind: 'array cast',
    arg: argOf(node, place),
    each: readScalar(nodeOf(node, 'elemexpr'), { ...place, tested: null }),
  }),
  COERCETODOMAIN: (node, place) => ({ kind: 'domain cast', arg: argOf(node, place) }),
  CONVERTROWTYPEEXPR: (node, place) => ({ kind: 'row cast', arg: argOf(node, place) }),
  SQLVALUEFUNCTION: (node) => ({ kind: 'value', name: choiceOf(node, 'op', SQL_VALUES) }),
  AGGREF: readAggregate,
  GROUPINGFUNC: (node, place) => ({
    kind: 'grouping',
    refs: numbersOf(node, 'refs'),
    args: readScalars(nodesOf(node, 'args'), place),
    up: upOf(numberOf(node, 'agglevelsup'), place),
  }),
  WINDOWFUNC: (node, place) => ({
    kind: 'window',
    fn: numberOf(node, 'winfnoid'),
    star: flagOf(node, 'winstar'),
    args: readScalars(nodesOf(node, 'args'), place),
    filter: readNullable(nullableNode(node, 'aggfilter'), place),
    window: numberOf(node, 'winref'),
    aggregate: flagOf(node, 'winagg'),
    collation: numberOf(node, 'inputcollid'),
  }),
  SUBLINK: readSublink,
};

const IMPLICIT_CAST = 2;
const SUBLINK_PARAM = 2;

const SQL_VALUES = [
  'CURRENT_DATE',
  'CURRENT_TIME',
  'CURRENT_TIME',
  'CURRENT_TIMESTAMP',
  'CURRENT_TIMESTAMP',
  'LOCALTIME',
  'LOCALTIME',
  'LOCALTIMESTAMP',
  'LOCALTIMESTAMP',
  'CURRENT_ROLE',
  'CURRENT_USER',
  'USER',
  'SESSION_USER',
  'CURRENT_CATALOG',
  'CURRENT_SCHEMA',
] as const;

/** A column; of a join or of the groups the expression that it stands for. */
function readVar(node: TreeNode, place: Place): Scalar {
  const scope = place.scope.up(numberOf(node, 'varlevelsup'));
  const index = numberOf(node, 'varno');
  const column = numberOf(node, 'varattno');
  const entry = scope.entry(index);
  const type = typeOf(node);
  const stands = STANDS_FOR[numberOf(entry, 'rtekind')];
  if (stands === undefined)
    return { kind: 'column', relation: scope.idOf(index), column, up: place.depth - scope.depth, type };
  const list = nodesOf(entry, stands);
  const there = { ...place, scope };
  if (column > 0) return readScalar(at(list, column - 1, node), there);
  const names = textsOf(nodeOf(entry, 'eref'), 'colnames');
  return { kind: 'row', fields: readScalars(list, there), names, type };
}

/** Entries of the range table that are no relations: joins, and from 18 on the groups. */
const STANDS_FOR: Readonly<Record<number, string>> = { 2: 'joinaliasvars', 9: 'groupexprs' };

function readParam(node: TreeNode): ScalarNode {
  const kind = numberOf(node, 'paramkind');
  const number = numberOf(node, 'paramid');
  if (kind === SUBLINK_PARAM) return { kind: 'subquery column', column: number };
  if (kind !== 0) return { kind: 'unknown', tag: `PARAM ${kind}` };
  return { kind: 'param', param: number - 1 };
}

function readCase(node: TreeNode, place: Place): ScalarNode {
  const tested = nullableNode(node, 'arg');
  const when = tested === null ? place : { ...place, tested };
  return {
    kind: 'case',
    arms: nodesOf(node, 'args').map((arm) => ({
      when: readScalar(nodeOf(arm, 'expr'), when),
      result: readScalar(nodeOf(arm, 'result'), place),
    })),
    otherwise: readScalar(nodeOf(node, 'defresult'), place),
  };
}

function readAggregate(node: TreeNode, place: Place): ScalarNode {
  const kind = textOf(node, 'aggkind');
  return {
    kind: 'aggregate',
    fn: numberOf(node, 'aggfnoid'),
    star: flagOf(node, 'aggstar'),
    args: readTargets(nodesOf(node, 'args'), place),
    direct: readScalars(nodesOf(node, 'aggdirectargs'), place),
    order: readSortKeys(nodesOf(node, 'aggorder'), place),
    distinct: readKeys(nodesOf(node, 'aggdistinct')),
    filter: readNullable(nullableNode(node, 'aggfilter'), place),
    ordering: kind === 'n' ? 'normal' : kind === 'o' ? 'ordered set' : 'hypothetical set',
    variadic: flagOf(node, 'aggvariadic'),
    collation: numberOf(node, 'inputcollid'),
    up: upOf(numberOf(node, 'agglevelsup'), place),
  };
}

function readSublink(node: TreeNode, place: Place): ScalarNode | Scalar {
  const query = place.query(nodeOf(node, 'subselect'), place);
  const kind = choiceOf(node, 'subLinkType', SUBLINKS);
  if (kind === 'exists') return { kind, query, type: BOOL };
  const first = query.columns[0]?.type ?? UNTYPED;
  if (kind === 'subquery') return { kind, query, type: first };
  if (kind === 'array of') {
    const element = place.scope.reading.facts.types.get(first.oid);
    return { kind, query, type: { ...first, oid: element?.array ?? first.oid } };
  }
  if (kind === 'multiple') return { kind: 'unknown', tag: 'SUBLINK', type: UNTYPED };
  const test = readScalar(nodeOf(node, 'testexpr'), place);
  return { kind, query, test, operator: textsOf(node, 'operName').at(-1) ?? '=', type: BOOL };
}

const SUBLINKS = ['exists', 'all of', 'any of', 'row of', 'subquery', 'multiple', 'array of'] as const;
const BOOL: TypeUse = { oid: 16, modifier: -1, collation: 0 };
const UNTYPED: TypeUse = { oid: 0, modifier: -1, collation: 0 };

function argOf(node: TreeNode, place: Place): Scalar {
  return readScalar(nodeOf(node, 'arg'), place);
}

/** The function is looked up where the tree leaves it out. */
function operatorOf(node: TreeNode, place: Place): { readonly fn: number; readonly operator: number } {
  const operator = numberOf(node, 'opno');
  const fn = numberOf(node, 'opfuncid');
  return { operator, fn: fn === 0 ? (place.scope.reading.facts.operators.get(operator)?.fn ?? 0) : fn };
}

function pairOf(
  node: TreeNode,
  place: Place,
): { fn: number; operator: number; left: Scalar; right: Scalar; collation: number } {
  const [left, right] = readScalars(nodesOf(node, 'args'), place);
  if (left === undefined || right === undefined)
    throw analysisError('analysis_unreadable', `${node.tag}: too few arguments`);
  return { ...operatorOf(node, place), left, right, collation: numberOf(node, 'inputcollid') };
}

/** Before 18 the field was `rctype`. */
function renamed(node: TreeNode): TreeNode {
  const value = node.fields.get('rctype');
  return value === undefined ? node : { ...node, fields: new Map([...node.fields, ['cmptype', value]]) };
}

function upOf(levels: number, place: Place): number {
  return place.depth - place.scope.up(levels).depth;
}
