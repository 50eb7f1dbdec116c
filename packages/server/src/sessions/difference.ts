import { bucketOf, digest } from '@sluice/core/digest';
import type { Difference, Resume, Rows } from '@sluice/core/wire';
import { encode } from './encode.js';

/**
 * What a returning client lacks of these rows (C15). Buckets whose sums agree are left alone; the others are sent
 * whole. With nothing to mend the message is a few bytes: it tells which version the rows that the client holds are.
 */
export function difference(
  rowsMessage: Uint8Array,
  resume: Resume,
  seed: string,
  ordered: boolean,
): Uint8Array {
  const { view, at, rows } = JSON.parse(Buffer.from(rowsMessage).toString()) as Rows;
  const of = resume.buckets.length;
  const ours = digest(seed, rows, of);
  const buckets = ours.buckets.flatMap((sum, i) => (sum === resume.buckets[i] ? [] : [i]));
  const differing = new Set(buckets);
  const bucket = bucketOf(seed, of);
  const message: Difference = {
    kind: 'difference',
    view,
    at,
    of,
    buckets,
    rows: differing.size === 0 ? [] : rows.filter(([key]) => differing.has(bucket(key))),
    ...(ordered && resume.order !== ours.order ? { order: rows.map(([key]) => key) } : {}),
  };
  return encode(message);
}
