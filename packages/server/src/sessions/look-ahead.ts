import type { Few } from '@sluice/core/few';
import type { Feed } from './feed.js';
import type { Member } from './member.js';
import { SPOT_ZERO } from './spot.js';
import type { Span } from './version-log.js';

/** How many entries are looked ahead at together: more than that the processor does not remember the pages of. */
export const TOGETHER = 16;

/** What was read, so that it is read for something. */
let read = 0;

/**
 * What entries that come together will come by is read side by side before the first of them is taken: each loop takes one
 * step for all, as in `flow/look-ahead.ts` of the engine. With many views none of it lies in a cache.
 */
export function lookAhead(views: readonly (Feed & { readonly members: Few<Member> | undefined })[]): void {
  const members: Member[] = [];
  for (const feed of views) {
    read ^= feed.bytes;
    if (isOne(feed.members)) members.push(feed.members);
  }
  const spans: Span[] = [];
  for (const { latest } of views) if (latest !== null) spans.push(latest);
  for (const { have } of members) read ^= have;
  for (const { n } of spans) read ^= n;
  for (const { from } of spans) if (from === SPOT_ZERO) read ^= 1;
}

function isOne(members: Few<Member> | undefined): members is Member {
  return members !== undefined && !Array.isArray(members) && !(members instanceof Set);
}
