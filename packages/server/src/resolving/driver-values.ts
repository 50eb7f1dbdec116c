import type { ShapeColumn, ValueShape } from '@sluice/core/shape';

/*
 * What the driver `pg` makes of a value on its own: what a builder gives wherever it has no say in it. `node-postgres`
 * knows the types by number; here they have the names that Postgres prints.
 */

/** `text`: dates and their like as Postgres prints them, as Drizzle tells the driver. `date`: as the driver gives them. */
export type DriverDates = 'text' | 'date';

const DATES = ['date', 'timestamp without time zone', 'timestamp with time zone'];

const SCALARS: Readonly<Record<string, ValueShape>> = {
  boolean: 'boolean',
  smallint: 'integer',
  integer: 'integer',
  oid: 'integer',
  real: 'float',
  'double precision': 'float',
  json: 'plain',
  jsonb: 'plain',
  bytea: 'bytes',
  point: { numbers: ['x', 'y'] },
  circle: { numbers: ['x', 'y', 'radius'] },
};

/** Arrays of these stay text, like arrays of every type that the driver does not know: enums, domains, composites. */
const TEXT_ARRAYS = [
  'bigint',
  'character',
  'character varying',
  'text',
  'uuid',
  'inet',
  'cidr',
  'macaddr',
  'money',
  'numrange',
  'time without time zone',
  'time with time zone',
];

/** @returns null for what the driver gives as an object of a class of its own */
export function driverValue({ type }: ShapeColumn, dates: DriverDates): ValueShape | null {
  const element = type.endsWith('[]') ? type.slice(0, -2) : null;
  return element === null ? scalar(type, dates) : array(element, dates);
}

function scalar(type: string, dates: DriverDates): ValueShape | null {
  if (dates === 'date' && DATES.includes(type)) return 'date';
  if (dates === 'date' && type === 'interval') return null;
  return SCALARS[type] ?? 'text';
}

function array(element: string, dates: DriverDates): ValueShape | null {
  if (TEXT_ARRAYS.includes(element)) return { array: 'text' };
  if (element === 'circle') return 'text';
  const known = SCALARS[element];
  if (known !== undefined) return { array: known };
  if (dates === 'text') return 'text';
  if (element === 'interval') return null;
  if (element === 'numeric') return { array: 'number' };
  return DATES.includes(element) ? { array: 'date' } : 'text';
}
