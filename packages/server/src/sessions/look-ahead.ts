import type { Few } from '@sluice/core/few';
import type { Held } from './held.js';
import type { Holder, Member } from './member.js';
import { SPOT_ZERO } from './spot.js';

/*
 * What entries or connections that come together will come by is read side by side before the first of them is taken: each
 * loop takes one step for all, as in `flow/look-ahead.ts` of the engine. With many views none of it lies in a cache.
 */

/** How many are looked ahead at together: more than that the processor does not remember the pages of. */
export const TOGETHER = 16;

/** What was read, so that it is read for something. */
let read = 0;

/** Of the views that entries are about. */
export function lookAhead(views: readonly (Held | undefined)[]): void {
  const members: Member[] = [];
  for (const feed of views) {
    if (feed === undefined) continue;
    read ^= feed.bytes;
    if (isOne(feed.members)) members.push(feed.members);
  }
  const holders: Holder[] = [];
  for (const { have, holder } of members) {
    read ^= have;
    holders.push(holder);
  }
  for (const { edits } of holders) if (edits) read ^= 1;
  for (const { position, error } of members) if (position === SPOT_ZERO && error === null) read ^= 1;
  for (const { stirred } of holders) read ^= stirred;
}

/** Of the connections that are told at the end of a turn. */
export function lookAheadAt(sinks: readonly ({ readonly bufferedBytes: number } | undefined)[]): void {
  for (const sink of sinks) read ^= sink?.bufferedBytes ?? 0;
}

function isOne(members: Few<Member> | undefined): members is Member {
  return members !== undefined && !Array.isArray(members) && !(members instanceof Set);
}
