/** What holds rows for views: a template. */
export interface Holder {
  readonly viewCount: number;
  readonly heldBytes: number;
  /** Views that it could give up. */
  readonly followedCount: number;
  /** Lets go of what none of them needs. */
  trim(): void;
  /** Gives one up. @returns whether there was one */
  giveUp(): boolean;
}

/**
 * P6: what incremental views hold together has a bound. Beyond it, views that are kept for nobody go first, and what
 * none needs; then one view after the other is given up by its template, where a view holds most, until the rest fits.
 *
 *   within ──more than bytesMax──▶ asked ──spared──▶ giving up views ──fits──▶ within
 *
 * What is being read at a snapshot counts once it is taken in: a reading has bounds of its own.
 */
export class HeldBudget {
  readonly #bytesMax: number;
  readonly #askToSpare: (heldBytes: number) => void;
  readonly #bytes = new Map<Holder, number>();
  #total = 0;
  #isAsked = false;

  /**
   * @param bytesMax what all incremental views may hold together, by estimate
   * @param askToSpare asks that views which nobody looks at be released; answered by `spared`, after their releases
   */
  constructor(bytesMax: number, askToSpare: (heldBytes: number) => void) {
    this.#bytesMax = bytesMax;
    this.#askToSpare = askToSpare;
  }

  /** The template may hold more or less than before: what the others hold is not looked at. */
  note(template: Holder): void {
    // What was read for views that are gone by now is held by nobody.
    if (template.viewCount === 0) return this.forget(template);
    const bytes = template.heldBytes;
    this.#total += bytes - (this.#bytes.get(template) ?? 0);
    this.#bytes.set(template, bytes);
    if (this.#total <= this.#bytesMax || this.#isAsked) return;
    this.#isAsked = true;
    this.#askToSpare(this.#total);
  }

  /** How many hold something. */
  get size(): number {
    return this.#bytes.size;
  }

  forget(template: Holder): void {
    this.#total -= this.#bytes.get(template) ?? 0;
    this.#bytes.delete(template);
  }

  /** Nothing is kept any more that nobody looks at. */
  spared(): void {
    if (!this.#isAsked) return;
    for (const template of this.#bytes.keys()) this.note(template);
    if (this.#total > this.#bytesMax)
      for (const template of this.#bytes.keys()) {
        template.trim();
        this.note(template);
      }
    while (this.#total > this.#bytesMax) {
      const template = this.#greediest();
      if (template?.giveUp() !== true) break;
      if (this.#bytes.has(template)) this.note(template);
    }
    this.#isAsked = false;
  }

  /** The template that holds most for each view that it could give up. */
  #greediest(): Holder | null {
    let greediest: Holder | null = null;
    let most = 0;
    for (const [template, bytes] of this.#bytes) {
      const share = template.followedCount === 0 ? 0 : bytes / template.followedCount;
      if (share <= most) continue;
      most = share;
      greediest = template;
    }
    return greediest;
  }
}
