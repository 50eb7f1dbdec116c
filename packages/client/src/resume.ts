import { bucketCount, bucketOf, digest } from '@sluice/core/digest';
import type { RowKey } from '@sluice/core/value';
import type { Difference, Resume } from '@sluice/core/wire';
import type { View } from './view.js';

/**
 * What a client still holds of a view, in a few bytes (C15).
 * @param seed of the present connection.
 * @returns null when it holds nothing.
 */
export function resumeOf<H>(view: View<H>, seed: string): Resume | null {
  const { rows } = view;
  if (rows.at === null) return null;
  const { buckets, order } = digest(seed, rows.texts(), bucketCount(rows.size));
  return {
    view: view.id,
    chain: view.chain,
    at: rows.at,
    buckets,
    ...(rows.shape.ordered ? { order } : {}),
  };
}

/** Whether a row stands in one of the buckets that the server sends anew. */
export function inNamedBuckets(message: Difference, seed: string): (key: RowKey) => boolean {
  if (message.buckets.length === 0) return () => false;
  const named = new Set(message.buckets);
  const bucket = bucketOf(seed, message.of);
  return (key) => named.has(bucket(key));
}
