import type { Position } from '@sluice/core/position';
import type { Delta, Difference, Rows, ViewId } from '@sluice/core/wire';

export type ViewChange = Rows | Delta | Difference;

interface Staged {
  readonly changes: ViewChange[];
  bytes: number;
}

/** What has arrived and waits for the move that applies all of it at once (C13). */
export class Staging {
  readonly #bytesMax: number;
  #views = new Map<ViewId, Staged>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Where the chain of a view ends among what is staged. */
  end(view: ViewId): Position | undefined {
    const last = this.#views.get(view)?.changes.at(-1);
    return last === undefined ? undefined : last.kind === 'delta' ? last.to : last.at;
  }

  /**
   * @param bytes the length of the message as it came.
   * @returns the view with most bytes staged, when there are more than the bound: it has to go.
   */
  add(change: ViewChange, bytes: number): ViewId | null {
    const held = this.#views.get(change.view);
    // Whole rows make what came before them void.
    if (held && change.kind === 'rows') this.drop(change.view);
    const staged = this.#views.get(change.view) ?? { changes: [], bytes: 0 };
    staged.changes.push(change);
    staged.bytes += bytes;
    this.#bytes += bytes;
    this.#views.set(change.view, staged);
    return this.#bytes > this.#bytesMax ? this.#largest() : null;
  }

  drop(view: ViewId): void {
    this.#bytes -= this.#views.get(view)?.bytes ?? 0;
    this.#views.delete(view);
  }

  /** Everything, by view; afterwards nothing is staged. */
  take(): ReadonlyMap<ViewId, readonly ViewChange[]> {
    const taken = new Map([...this.#views].map(([view, staged]) => [view, staged.changes] as const));
    this.clear();
    return taken;
  }

  clear(): void {
    this.#views = new Map();
    this.#bytes = 0;
  }

  #largest(): ViewId | null {
    let largest: ViewId | null = null;
    let most = -1;
    for (const [view, { bytes }] of this.#views) {
      if (bytes > most) [largest, most] = [view, bytes];
    }
    return largest;
  }
}
