import type { ValueType } from '../plan.js';

/** Whether values of a type are ordered here as Postgres orders them. */
export function isOrdered(type: ValueType): boolean {
  if (type.kind === 'array' || type.kind === 'range') return isOrdered(type.element);
  return 'ordered' in type ? type.ordered : type.kind !== 'opaque' && type.kind !== 'json';
}
