import { bucketCount, bucketOf, digest } from '@sluice/core/digest';
import type { RowKey } from '@sluice/core/value';
import type { Difference, Resume, ViewId } from '@sluice/core/wire';
import type { ViewRows } from './view-rows.js';

/** Which of the server's views and memories some rows are of. */
export interface Origin {
  readonly id: ViewId;
  readonly chain: string;
}

/**
 * What a client still holds of a view, in a few bytes (C15).
 * @param seed of the present connection.
 * @returns null when it holds nothing.
 */
export function resumeOf(origin: Origin, rows: ViewRows, seed: string): Resume | null {
  if (rows.at === null) return null;
  const { buckets, order } = digest(seed, rows.texts(), bucketCount(rows.size));
  return {
    view: origin.id,
    chain: origin.chain,
    at: rows.at,
    buckets,
    ...(rows.shape.ordered ? { order, count: rows.size } : {}),
  };
}

/** Whether a row stands in one of the buckets that the server sends anew. */
export function inNamedBuckets(message: Difference, seed: string): (key: RowKey) => boolean {
  if (message.buckets.length === 0) return () => false;
  const named = new Set(message.buckets);
  const bucket = bucketOf(seed, message.of);
  return (key) => named.has(bucket(key));
}
