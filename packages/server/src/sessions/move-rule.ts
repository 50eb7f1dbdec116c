import type { Member } from './member.js';
import { earlier, type Spot } from './spot.js';

/*
 * C14: a connection moves to the greatest position at which all its current views are valid.
 *
 *   stream                                   40 = tip
 *   A    [5 ─────────────────────────────────▶
 *   B    [10 ──────── 17]     [25 ────── 31]
 *   C    [8 ─────────────────── 27]                       the move goes to 27: B and C are valid there, and A.
 *
 * Start at the tip; for each view take the latest span that begins at or before p and lower p to its end; repeat until
 * nothing lowers it. Each step passes over positions where that view is not valid, or has what cannot be told, so no common
 * one is missed.
 */
export function greatestCommon(members: Iterable<Member>, floor: Spot, tip: Spot): Spot | null {
  let p = tip;
  for (let settled = false; !settled;) {
    settled = true;
    for (const member of members) {
      const span = member.feed.spanAt(p);
      if (span === null) return null;
      // What it has there cannot be told: then before that, if anywhere.
      const end = member.deliverable(span) ? earlier(p, span.through ?? tip) : ((span.from - 1n) as Spot);
      if (end < p) {
        p = end;
        settled = false;
      }
      if (p < floor) return null;
    }
  }
  return p < floor ? null : p;
}
