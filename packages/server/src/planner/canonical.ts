import type { Registry } from '../registry/registry.js';
import { fits, OID } from './value-types.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The text that Postgres would print for a value, where that is evident; undefined where Postgres must be asked.
 * Only what is canonical beyond doubt: a value that is wrong for its type is undefined too.
 */
export function canonicalText(registry: Registry, oid: number, value: string): string | undefined {
  switch (oid) {
    case OID.int2:
    case OID.int4:
    case OID.int8:
      return /^(0|-?[1-9]\d{0,18})$/.test(value) && fits(BigInt(value), oid) ? value : undefined;
    case OID.bool:
      return value === 't' || value === 'true' ? 't' : value === 'f' || value === 'false' ? 'f' : undefined;
    case OID.text:
    case OID.varchar:
      return value;
    case OID.uuid:
      return UUID.test(value) ? value : undefined;
    case OID.numeric:
      return /^-?(0|[1-9]\d{0,99})(\.\d{1,99})?$/.test(value) && !/^-[0.]*$/.test(value) ? value : undefined;
    case OID.date:
      return isDate(value) ? value : undefined;
    default:
      return enumText(registry, oid, value);
  }
}

function enumText(registry: Registry, oid: number, value: string): string | undefined {
  const type = registry.types.get(oid);
  return type?.kind === 'enum' && type.labels?.includes(value) === true ? value : undefined;
}

/** A day of the years 0001 to 9999. */
function isDate(value: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  if (match === null || match[1] === '0000') return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}
