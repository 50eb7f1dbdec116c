import type { TreeNode } from './node-tree.js';
import type { TypeUse } from './query-tree.js';
import { numberOf, tagOf } from './tree-fields.js';

/** The type of an expression, by the fields that its node keeps it in. */
export function typeOf(node: TreeNode): TypeUse {
  const [type, modifier, collation] = FIELDS[tagOf(node)] ?? [];
  return {
    oid: typeof type === 'number' ? type : type === undefined ? 0 : numberOf(node, type),
    modifier: modifier === undefined || modifier === '' ? -1 : numberOf(node, modifier),
    collation: collation === undefined ? 0 : numberOf(node, collation),
  };
}

const BOOL = 16;
const INT4 = 23;

/** Type, modifier, collation. */
const FIELDS: Readonly<
  Record<string, readonly [type: string | number, modifier?: string, collation?: string]>
> = {
  VAR: ['vartype', 'vartypmod', 'varcollid'],
  CONST: ['consttype', 'consttypmod', 'constcollid'],
  PARAM: ['paramtype', 'paramtypmod', 'paramcollid'],
  AGGREF: ['aggtype', '', 'aggcollid'],
  GROUPINGFUNC: [INT4],
  WINDOWFUNC: ['wintype', '', 'wincollid'],
  SUBSCRIPTINGREF: ['refrestype', 'reftypmod', 'refcollid'],
  FUNCEXPR: ['funcresulttype', '', 'funccollid'],
  OPEXPR: ['opresulttype', '', 'opcollid'],
  DISTINCTEXPR: ['opresulttype', '', 'opcollid'],
  NULLIFEXPR: ['opresulttype', '', 'opcollid'],
  SCALARARRAYOPEXPR: [BOOL],
  BOOLEXPR: [BOOL],
  NULLTEST: [BOOL],
  BOOLEANTEST: [BOOL],
  ROWCOMPAREEXPR: [BOOL],
  FIELDSELECT: ['resulttype', 'resulttypmod', 'resultcollid'],
  RELABELTYPE: ['resulttype', 'resulttypmod', 'resultcollid'],
  COERCEVIAIO: ['resulttype', '', 'resultcollid'],
  ARRAYCOERCEEXPR: ['resulttype', 'resulttypmod', 'resultcollid'],
  COERCETODOMAIN: ['resulttype', 'resulttypmod', 'resultcollid'],
  CONVERTROWTYPEEXPR: ['resulttype'],
  CASEEXPR: ['casetype', '', 'casecollid'],
  CASETESTEXPR: ['typeId', 'typeMod', 'collation'],
  ARRAYEXPR: ['array_typeid', '', 'array_collid'],
  ROWEXPR: ['row_typeid'],
  COALESCEEXPR: ['coalescetype', '', 'coalescecollid'],
  MINMAXEXPR: ['minmaxtype', '', 'minmaxcollid'],
  SQLVALUEFUNCTION: ['type', 'typmod'],
};
