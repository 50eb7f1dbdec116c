import type { Snapshot } from './snapshot.js';

/**
 * Which snapshots may be used (C7, the start rule). A slot sends the commits after the point it was made at. One that
 * committed before may still be invisible to a snapshot taken after: neither read nor streamed, it would be missing.
 * So, once the slot exists, take X = the xmax of a snapshot; every transaction below X either was told by the slot or
 * ends before a snapshot with xmin ≥ X is taken. The oldest running transaction only moves on, so when one snapshot
 * is good, all later ones are.
 *
 *   shut ──slot made──▶ waits for xmin ≥ X ──▶ open ──chain broken──▶ shut
 */
export class StartGate {
  #state: 'shut' | 'armed' | 'open' = 'shut';
  #after: bigint | null = null;
  #generation = 0;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** To be noted before a snapshot is taken, so that one from before the slot is not mistaken for one after. */
  get generation(): number {
    return this.#generation;
  }

  shut(): void {
    this.#state = 'shut';
    this.#generation++;
  }

  /** The slot exists. */
  arm(): void {
    this.#state = 'armed';
    this.#after = null;
    this.#generation++;
  }

  /** The first snapshot of a generation gives X. @returns whether this one opened the gate. */
  offer(snapshot: Snapshot, generation: number): boolean {
    if (this.#state !== 'armed' || generation !== this.#generation) return false;
    this.#after ??= snapshot.xmax;
    if (snapshot.xmin < this.#after) return false;
    this.#state = 'open';
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    return true;
  }

  async wait(): Promise<void> {
    if (this.isOpen) return;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Sends everyone who waits away. */
  reject(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
