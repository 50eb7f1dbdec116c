import { bucketOf, digest } from '@sluice/core/digest';
import type { Difference, Resume, Rows } from '@sluice/core/wire';
import { encode } from './encode.js';

/**
 * What a returning client lacks of these rows (C15). Buckets whose sums agree are left alone; the others are sent
 * whole. With nothing to mend the message is a few bytes: it tells which version the rows that the client holds are.
 *
 * An ordered result that is longer than what the client holds (a list that shows its next page) is compared by as
 * many rows from its beginning: else the rows of the new page, strewn over all buckets, would spoil each of them.
 *
 *   held      a b c d                  a b c d | e f      compared | sent anyway
 */
export function difference(
  rowsMessage: Uint8Array,
  resume: Resume,
  seed: string,
  ordered: boolean,
): Uint8Array {
  const { view, at, rows } = JSON.parse(Buffer.from(rowsMessage).toString()) as Rows;
  const of = resume.buckets.length;
  const compared = ordered ? rows.slice(0, resume.count) : rows;
  const ours = digest(seed, compared, of);
  const buckets = ours.buckets.flatMap((sum, i) => (sum === resume.buckets[i] ? [] : [i]));
  const differing = new Set(buckets);
  const bucket = bucketOf(seed, of);
  const mended = differing.size === 0 ? [] : compared.filter(([key]) => differing.has(bucket(key)));
  const message: Difference = {
    kind: 'difference',
    view,
    at,
    of,
    buckets,
    rows: [...mended, ...rows.slice(compared.length)],
    ...(ordered && resume.order !== ours.order ? { order: rows.map(([key]) => key) } : {}),
  };
  return encode(message);
}
