import type { Operand, Predicate, ValueType } from '@sluice/core/plan';
import type { A_Const, A_Expr, BooleanTest, Node } from 'libpg-query';
import type { Column } from '../registry/registry.js';
import { mentionsPresent } from './clock.js';
import { Lifting } from './lifting.js';
import type { PlanColumns } from './plan-columns.js';
import type { PlanFacts } from './plan-facts.js';
import { BeyondOneTable } from './reasons.js';
import { arrayLiteral, booleanOf, castOf, constantOf, operatorOf, type Constant } from './expression.js';
import { baseTypeOf } from './types.js';
import { commonType, fits, isOrdered, OID } from './value-types.js';

type CompareOp = Extract<Predicate, { readonly left: Operand; readonly right: Operand }>['op'];

const COMPARE: Readonly<Record<string, CompareOp>> = {
  '=': 'eq',
  '<>': 'ne',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

/** One side of a comparison, before its type is settled. */
type Side = (
  | { readonly kind: 'column'; readonly column: Column }
  | { readonly kind: 'param'; readonly index: number; readonly type: number }
  | { readonly kind: 'constant'; readonly constant: Constant; readonly type: number | null }
) & {
  /** COLLATE "C" stands behind it. */
  readonly collateC?: boolean;
};

/**
 * Compiles a WHERE clause to a predicate, exactly or not at all: a comparison is taken only where the operator
 * that Postgres resolves, its types and its collation are certain, and the engine computes the same.
 */
export class PredicateCompiler {
  readonly #columns: PlanColumns;
  readonly #lifting: Lifting;
  readonly #facts: PlanFacts;

  constructor(columns: PlanColumns, lifting: Lifting, facts: PlanFacts) {
    this.#columns = columns;
    this.#lifting = lifting;
    this.#facts = facts;
  }

  /** @throws BeyondOneTable. */
  compile(node: Node): Predicate {
    if ('BoolExpr' in node) return this.#connective(node.BoolExpr);
    if ('A_Expr' in node) return this.#expression(node.A_Expr);
    if ('NullTest' in node)
      return this.#nullTest(node.NullTest.arg, node.NullTest.nulltesttype === 'IS_NULL');
    if ('BooleanTest' in node) return this.#booleanTest(node.BooleanTest);
    return this.#boolean(node);
  }

  #connective(expr: { readonly boolop?: string; readonly args?: readonly Node[] }): Predicate {
    const args = (expr.args ?? []).map((arg) => this.compile(arg));
    const [first] = args;
    if (expr.boolop === 'NOT_EXPR' && first !== undefined) return { op: 'not', arg: first };
    return { op: expr.boolop === 'OR_EXPR' ? 'or' : 'and', args };
  }

  /** A column, parameter or constant that is itself a condition. */
  #boolean(node: Node): Predicate {
    const value = 'A_Const' in node ? booleanOf(node.A_Const) : null;
    if (value === true) return { op: 'true' };
    if (value === false) return { op: 'bool', arg: this.#lifting.constant('f', OID.bool) };
    const side = this.#side(node);
    const type = side.kind === 'column' ? side.column.typeOid : side.type;
    if (type === null || baseTypeOf(this.#facts.registry, type) !== OID.bool) throw new BeyondOneTable();
    return { op: 'bool', arg: this.#operand(side, OID.bool, false) };
  }

  #booleanTest(test: BooleanTest): Predicate {
    if (test.arg === undefined) throw new BeyondOneTable();
    const [negated, value] = {
      IS_TRUE: [false, true] as const,
      IS_NOT_TRUE: [true, true] as const,
      IS_FALSE: [false, false] as const,
      IS_NOT_FALSE: [true, false] as const,
      IS_UNKNOWN: [false, null] as const,
      IS_NOT_UNKNOWN: [true, null] as const,
    }[test.booltesttype ?? 'IS_TRUE'];
    return { op: 'is', arg: this.compile(test.arg), value, negated };
  }

  #nullTest(arg: Node | undefined, isNull: boolean): Predicate {
    if (arg === undefined) throw new BeyondOneTable();
    if (!('ColumnRef' in arg) && !('ParamRef' in arg))
      return { op: 'is', arg: this.compile(arg), value: null, negated: !isNull };
    const side = this.#side(arg);
    const type = side.kind === 'column' ? side.column.typeOid : (side.type ?? OID.text);
    const base = this.#facts.registry.types.get(baseTypeOf(this.#facts.registry, type));
    // IS NULL of a row looks into its fields.
    if (base?.kind === 'composite' || base?.kind === 'pseudo') throw new BeyondOneTable();
    return { op: isNull ? 'is_null' : 'is_not_null', arg: this.#operand(side, type, false) };
  }

  #expression(expr: A_Expr): Predicate {
    const { kind, lexpr: left, rexpr: right } = expr;
    if (left === undefined || right === undefined) throw new BeyondOneTable();
    if (kind === 'AEXPR_OP') return this.#compare(this.#compareOp(expr), left, right);
    if (kind === 'AEXPR_DISTINCT') return this.#compare('distinct', left, right);
    if (kind === 'AEXPR_NOT_DISTINCT') return this.#compare('not_distinct', left, right);
    if (kind === 'AEXPR_IN') return this.#in(left, right, operatorOf(expr) === '<>');
    if (kind === 'AEXPR_OP_ANY' && operatorOf(expr) === '=') return this.#any('any', left, right);
    if (kind === 'AEXPR_OP_ALL' && /^(<>|!=)$/.test(operatorOf(expr) ?? ''))
      return this.#any('all_ne', left, right);
    if (kind?.startsWith('AEXPR_') === true && kind.includes('BETWEEN'))
      return this.#between(kind, left, right);
    throw new BeyondOneTable();
  }

  #compareOp(expr: A_Expr): CompareOp {
    const op = COMPARE[operatorOf(expr) ?? ''];
    if (op === undefined) throw new BeyondOneTable();
    return op;
  }

  #compare(op: CompareOp, leftNode: Node, rightNode: Node): Predicate {
    const [left, right] = [this.#side(leftNode), this.#side(rightNode)];
    const type = this.#comparisonType(left, right);
    const needsOrder = op === 'lt' || op === 'le' || op === 'gt' || op === 'ge';
    this.#checkCollation(left, right, type, needsOrder);
    const settled: ValueType = type.kind === 'text' ? { kind: 'text', ordered: needsOrder } : type;
    const [a, b] = [this.#typeOf(left, right), this.#typeOf(right, left)];
    return {
      op,
      left: this.#operand(left, a, needsOrder),
      right: this.#operand(right, b, needsOrder),
      type: settled,
    };
  }

  /** `a BETWEEN x AND y` is `a >= x AND a <= y`; the grammar itself rewrites it so (`transformAExprBetween`). */
  #between(kind: string, left: Node, right: Node): Predicate {
    const bounds = 'List' in right ? (right.List.items ?? []) : [];
    const [x, y] = bounds;
    if (x === undefined || y === undefined) throw new BeyondOneTable();
    const inside = (low: Node, high: Node): Predicate => ({
      op: 'and',
      args: [this.#compare('ge', left, low), this.#compare('le', left, high)],
    });
    const outside = (low: Node, high: Node): Predicate => ({
      op: 'or',
      args: [this.#compare('lt', left, low), this.#compare('gt', left, high)],
    });
    switch (kind) {
      case 'AEXPR_BETWEEN':
        return inside(x, y);
      case 'AEXPR_NOT_BETWEEN':
        return outside(x, y);
      case 'AEXPR_BETWEEN_SYM':
        return { op: 'or', args: [inside(x, y), inside(y, x)] };
      default:
        return { op: 'and', args: [outside(x, y), outside(y, x)] };
    }
  }

  /** A list of constants is one array, so that lists of every length share a template; otherwise comparisons. */
  #in(left: Node, right: Node, negated: boolean): Predicate {
    const items = 'List' in right ? (right.List.items ?? []) : [];
    const side = this.#side(left);
    const constants = items.map((item) => ('A_Const' in item ? constantOf(item.A_Const) : null));
    const array =
      side.kind === 'column' && items.length > 1 ? this.#constantArray(side.column, constants) : null;
    if (side.kind === 'column' && array !== null) {
      const type = this.#comparisonType(side, {
        kind: 'constant',
        constant: { kind: 'null' },
        type: array.element,
      });
      this.#checkCollation(side, side, type, false);
      const operand = this.#operand(side, side.column.typeOid, false);
      const param = this.#lifting.constant(array.literal, this.#lifting.arrayOf(array.element));
      return { op: negated ? 'all_ne' : 'any', left: operand, array: param.param, type };
    }
    const args = items.map((item) => this.#compare(negated ? 'ne' : 'eq', left, item));
    const [only] = args;
    if (only !== undefined && args.length === 1) return only;
    return { op: negated ? 'and' : 'or', args };
  }

  #constantArray(
    column: Column,
    constants: readonly (Constant | null)[],
  ): { readonly literal: string; readonly element: number } | null {
    const base = baseTypeOf(this.#facts.registry, column.typeOid);
    const values: (string | null)[] = [];
    for (const constant of constants) {
      if (constant === null || constant.kind === 'boolean') return null;
      if (constant.kind === 'number' && !(constant.whole && fits(BigInt(constant.text), base))) return null;
      if (constant.kind === 'string' && mentionsPresent(constant.text)) return null;
      values.push(constant.kind === 'null' ? null : constant.text);
    }
    const element = base === OID.varchar ? OID.text : base;
    return { literal: arrayLiteral(values), element };
  }

  /** `a = ANY (array)` with a parameter or a constant for the array. */
  #any(op: 'any' | 'all_ne', left: Node, right: Node): Predicate {
    if ('A_ArrayExpr' in right)
      return this.#in(left, { List: { items: right.A_ArrayExpr.elements ?? [] } }, op === 'all_ne');
    const [side, array] = [this.#side(left), this.#side(right)];
    if (side.kind === 'constant' || array.kind === 'column') throw new BeyondOneTable();
    const own = side.kind === 'column' ? side.column.typeOid : side.type;
    const ownElement = baseTypeOf(this.#facts.registry, own);
    const arrayType = array.type ?? this.#lifting.arrayOf(ownElement === OID.varchar ? OID.text : ownElement);
    const element = this.#facts.registry.types.get(arrayType)?.elementOid ?? null;
    if (element === null) throw new BeyondOneTable();
    const other: Side = { kind: 'constant', constant: { kind: 'null' }, type: element };
    const type = this.#comparisonType(side, other);
    this.#checkCollation(side, other, type, false);
    const operand = this.#operand(side, own, false);
    const param = this.#operand(array, arrayType, false);
    if (!('param' in param)) throw new BeyondOneTable();
    return { op, left: operand, array: param.param, type };
  }

  #side(node: Node): Side {
    if ('ColumnRef' in node) return { kind: 'column', column: this.#columns.resolve(node.ColumnRef) };
    if ('ParamRef' in node) return this.#paramSide((node.ParamRef.number ?? 0) - 1);
    if ('A_Const' in node) return constantSide(node.A_Const, null);
    if ('CollateClause' in node && node.CollateClause.arg !== undefined) {
      const side = this.#side(node.CollateClause.arg);
      const name = JSON.stringify(node.CollateClause.collname ?? []);
      if (!/"sval":"(C|POSIX|ucs_basic)"\}\}\]$/.test(name)) throw new BeyondOneTable();
      return { ...side, collateC: true };
    }
    if ('TypeCast' in node) return this.#castSide(node.TypeCast);
    throw new BeyondOneTable();
  }

  #paramSide(index: number): Side {
    const type = this.#facts.paramTypes[index];
    if (type === undefined) throw new BeyondOneTable();
    return { kind: 'param', index, type: type.oid };
  }

  /** `'x'::type` is a constant of that type; `$1::type` is the parameter, when that is what its type comes from. */
  #castSide(cast: Parameters<typeof castOf>[0]): Side {
    const { arg, names, plain } = castOf(cast);
    const target = plain ? typeByName(names, this.#facts) : null;
    if (arg === undefined || target === null) throw new BeyondOneTable();
    const side = this.#side(arg);
    if (side.kind === 'param' && side.type === target) return side;
    if (side.kind === 'constant' && side.type === null && side.constant.kind === 'string')
      return { ...side, type: target };
    if (
      side.kind === 'constant' &&
      side.constant.kind === 'number' &&
      side.constant.whole &&
      fits(BigInt(side.constant.text), target)
    )
      return { ...side, type: target };
    throw new BeyondOneTable();
  }

  /** The type of one side: an untyped constant takes it from the other. */
  #typeOf(side: Side, other: Side): number {
    if (side.kind === 'column') return side.column.typeOid;
    if (side.type !== null) return side.type;
    const { constant } = side as Extract<Side, { readonly kind: 'constant' }>;
    const otherType = other.kind === 'column' ? other.column.typeOid : other.type;
    const base = otherType === null ? null : baseTypeOf(this.#facts.registry, otherType);
    if (constant.kind === 'number') return numberType(constant, base);
    if (constant.kind === 'boolean') return OID.bool;
    if (base === null) throw new BeyondOneTable();
    return base === OID.varchar ? OID.text : base;
  }

  #comparisonType(left: Side, right: Side): ValueType {
    for (const side of [left, right])
      if (side.kind === 'constant' && side.constant.kind === 'null' && side.type === null)
        throw new BeyondOneTable();
    const [a, b] = [this.#typeOf(left, right), this.#typeOf(right, left)];
    this.#checkOperators(a, b);
    const type = commonType(this.#facts.registry, a, b);
    if (type === null) {
      throw new BeyondOneTable();
    }
    return type;
  }

  /** An operator of the application on one of these types might be the better match. */
  #checkOperators(left: number, right: number): void {
    const { registry, dependencies } = this.#facts;
    const types = new Set([left, right, baseTypeOf(registry, left), baseTypeOf(registry, right)]);
    if (dependencies.userOperators.some((operator) => types.has(operator.left) || types.has(operator.right)))
      throw new BeyondOneTable();
  }

  /** Equality is by bytes under every deterministic collation; order only under C; two different ones are an error. */
  #checkCollation(left: Side, right: Side, type: ValueType, needsOrder: boolean): void {
    const explicit = left.collateC === true || right.collateC === true;
    if (type.kind !== 'text') {
      if (needsOrder && !isOrdered(type)) throw new BeyondOneTable();
      if (explicit) throw new BeyondOneTable();
      return;
    }
    const columns = [left, right].filter((side) => side.kind === 'column');
    if (!explicit && columns.some((side) => !side.column.collationIsDeterministic))
      throw new BeyondOneTable();
    const collations = new Set(columns.map((side) => side.column.collationOid));
    if (!explicit && collations.size > 1) throw new BeyondOneTable();
    if (!needsOrder || explicit) return;
    if (columns.length === 0 || !columns.every((side) => side.column.collationIsC))
      throw new BeyondOneTable();
  }

  #operand(side: Side, type: number, ordered: boolean): Operand {
    if (side.kind === 'column')
      return { column: this.#columns.use(side.column, ordered || side.column.collationIsC) };
    if (side.kind === 'param') return this.#lifting.param(side.index);
    const { constant } = side;
    if (constant.kind === 'string' && mentionsPresent(constant.text) && TIMES.has(type))
      throw new BeyondOneTable();
    return this.#lifting.constant(constant.kind === 'null' ? null : constant.text, type);
  }
}

const TIMES: ReadonlySet<number> = new Set([OID.date, OID.timestamp, OID.timestamptz]);

function constantSide(node: A_Const, type: number | null): Side {
  return { kind: 'constant', constant: constantOf(node), type };
}

/**
 * A number takes the type of the integer column beside it when it is a value of that type: comparing there or in
 * a wider type gives the same. Beside a float8 it is converted to one, as Postgres converts it.
 */
function numberType(constant: Extract<Constant, { readonly kind: 'number' }>, beside: number | null): number {
  if (beside === OID.float8 || beside === OID.numeric) return beside;
  if (!constant.whole) return OID.numeric;
  const value = BigInt(constant.text);
  const choices = [...(beside === null ? [] : [beside]), OID.int4, OID.int8];
  return choices.find((oid) => fits(value, oid)) ?? OID.numeric;
}

function typeByName(names: readonly string[], facts: PlanFacts): number | null {
  const [schema, name] = names.length > 1 ? [names.at(-2), names.at(-1)] : [null, names.at(-1)];
  const found = [...facts.names.keys()].filter((oid) => {
    const type = facts.registry.types.get(oid);
    return type?.name === name && (schema === null || type?.schema === schema);
  });
  return found.length === 1 ? (found[0] ?? null) : null;
}
