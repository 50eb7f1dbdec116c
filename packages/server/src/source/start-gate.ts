import type { Snapshot } from './snapshot.js';

/**
 * Which snapshots may be used (C7, the start rule). A slot sends the commits after the point it was made at. One that
 * committed before may still be invisible to a snapshot taken after: neither read nor streamed, it would be missing.
 * So, once the slot exists, X is a transaction id of our own; every transaction below X either is told by the slot or
 * has ended when a snapshot has xmin ≥ X. The oldest running transaction only moves on, so when one snapshot is good,
 * all later ones are.
 *
 * The xmax of a snapshot will not do for X: it is one above the highest id that has *ended*, so that an invisible
 * commit with the highest id of all would be at X, not below (docs/decisions/010).
 *
 *   shut ──slot made──▶ armed: waits for X, then for xmin ≥ X ──▶ open ──chain broken──▶ shut
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

  /** X is still to be found: a transaction id of our own, taken after `generation` was noted. */
  get wantsXid(): boolean {
    return this.#state === 'armed' && this.#after === null;
  }

  offerXid(xid: bigint, generation: number): void {
    if (this.#state === 'armed' && generation === this.#generation) this.#after ??= xid;
  }

  /** @returns whether this snapshot opened the gate. */
  offer(snapshot: Snapshot, generation: number): boolean {
    if (this.#state !== 'armed' || generation !== this.#generation) return false;
    if (this.#after === null || snapshot.xmin < this.#after) return false;
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
