import { createHash } from 'node:crypto';

/** A name for a plain JSON value: equal values (with keys in the same order) have equal names. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
