import type { ValueType } from '../plan.js';

/** Whether values of a type are ordered here as Postgres orders them. */
export function isOrdered(type: ValueType): boolean {
  if ('element' in type) return isOrdered(type.element);
  if (type.kind === 'row') return type.fields.every((field) => isOrdered(field.type));
  return 'ordered' in type ? type.ordered : type.kind !== 'opaque' && type.kind !== 'json';
}
