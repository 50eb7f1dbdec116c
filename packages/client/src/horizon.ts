import { parsePosition, type Position } from '@sluice/core/position';

/**
 * The furthest position that this client has been told, which it never goes below (P3). Within an epoch the LSN
 * decides; an epoch is `<system>.<timeline>`, and a lower timeline of the same system is the past. Any other new
 * epoch is another history, which is taken as it comes.
 */
export class Horizon {
  #position: Position | null = null;

  get position(): Position | null {
    return this.#position;
  }

  /** Whether a position may follow. A text that is no position may not. */
  accepts(next: Position): boolean {
    const to = parsePosition(next);
    if (!to) return false;
    const from = this.#position === null ? null : parsePosition(this.#position);
    if (!from) return true;
    if (from.epoch === to.epoch) return to.lsn >= from.lsn;
    const [oldSystem, oldTimeline] = splitEpoch(from.epoch);
    const [newSystem, newTimeline] = splitEpoch(to.epoch);
    return oldSystem !== newSystem || newTimeline > oldTimeline;
  }

  advance(next: Position): void {
    this.#position = next;
  }
}

function splitEpoch(epoch: string): readonly [string, number] {
  const dot = epoch.lastIndexOf('.');
  return [epoch.slice(0, dot), Number(epoch.slice(dot + 1))];
}
