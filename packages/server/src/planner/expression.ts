import type { A_Const, A_Expr, Node, TypeCast } from 'libpg-query';
import { textArray } from './catalog-lookup.js';

/** A constant as the grammar sees it. */
export type Constant =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly text: 't' | 'f' }
  | { readonly kind: 'number'; readonly text: string; readonly whole: boolean }
  | { readonly kind: 'string'; readonly text: string };

export function constantOf(node: A_Const): Constant {
  if ('boolval' in node) return { kind: 'boolean', text: node.boolval?.boolval === true ? 't' : 'f' };
  if ('ival' in node) return { kind: 'number', text: String(node.ival?.ival ?? 0), whole: true };
  if ('fval' in node) return number(node.fval?.fval ?? '');
  if ('sval' in node) return { kind: 'string', text: node.sval?.sval ?? '' };
  if ('bsval' in node) return { kind: 'string', text: `\\${node.bsval?.bsval ?? ''}` };
  return { kind: 'null' };
}

/** Numbers beyond int4 come as text; `1_000` and `0x10` are numbers too. */
function number(text: string): Constant {
  const plain = text.replaceAll('_', '');
  if (/^-?\d+$/.test(plain)) return { kind: 'number', text: BigInt(plain).toString(), whole: true };
  if (/^0[xob][0-9a-f]+$/i.test(plain))
    return { kind: 'number', text: BigInt(plain).toString(), whole: true };
  return { kind: 'number', text: plain, whole: false };
}

export function booleanOf(node: A_Const): boolean | null {
  return 'boolval' in node ? node.boolval?.boolval === true : null;
}

/** The operator's name; null when it is qualified with a schema. */
export function operatorOf(expr: A_Expr): string | null {
  const [first, ...more] = expr.name ?? [];
  return more.length === 0 && first !== undefined && 'String' in first ? (first.String.sval ?? null) : null;
}

/** A cast's parts; `plain` when it has no modifier and is no array. */
export function castOf(cast: TypeCast): {
  readonly arg: Node | undefined;
  readonly names: readonly string[];
  readonly plain: boolean;
} {
  const type = cast.typeName;
  const names = (type?.names ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));
  const isArray = type?.arrayBounds !== undefined;
  const plain = type?.typmods === undefined && type?.setof !== true && type?.pct_type !== true;
  return {
    arg: cast.arg,
    names: isArray ? names.map((name, i) => (i === names.length - 1 ? `_${name}` : name)) : names,
    plain,
  };
}

/** An array in Postgres's text form. */
export const arrayLiteral: (values: readonly (string | null)[]) => string = textArray;
