import type { ValueType } from '../plan.js';

/** Whether equal values of a type are printed the same. Not so 1.0 and 1.00, or one day and 24 hours. */
export function printsOneWay(type: ValueType): boolean {
  switch (type.kind) {
    case 'array':
    case 'range':
    case 'multirange':
      return printsOneWay(type.element);
    case 'row':
      return type.fields.every((field) => printsOneWay(field.type));
    default:
      return ONE_WAY.has(type.kind);
  }
}

const ONE_WAY: ReadonlySet<ValueType['kind']> = new Set([
  'bool',
  'int',
  'uuid',
  'bytea',
  'date',
  'time',
  'timetz',
  'timestamp',
  'timestamptz',
  'inet',
  'mac',
  'bits',
  'text',
  'enum',
]);
