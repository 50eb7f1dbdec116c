/** What holds rows for views: a template. */
export type Holder = Following | Keeping;

/** It follows the rows that its views are made of. */
export interface Following {
  readonly kind: 'incremental';
  readonly viewCount: number;
  readonly heldBytes: number;
  /** Views that it could give up. */
  readonly followedCount: number;
  /** Lets go of what none of them needs. */
  trim(): void;
  /** Gives one up. @returns whether there was one */
  giveUp(): boolean;
}

/** It keeps answers, to tell the next ones as differences. */
export interface Keeping {
  readonly kind: 'rerun';
  readonly viewCount: number;
  readonly heldBytes: number;
  kept(): Iterable<Kept>;
}

/** An answer that is kept. */
export interface Kept {
  readonly bytes: number;
  /** The view goes on without it: it tells more than it would have to. */
  letGo(): void;
}

/** Of the bound, what is left free by letting answers go; only within it they are kept again. */
const SPARE_PART = 1 / 8;

/**
 * P6: what views hold together has a bound. Beyond it, views that are kept for nobody go first, and what none needs; then
 * the answers that are kept of re-run views, the largest first; then one incremental view after the other is given up
 * by its template, where a view holds most, until the rest fits.
 *
 *   within ──more than bytesMax──▶ asked ──spared──▶ letting answers go ──▶ giving up views ──fits──▶ within
 *
 * A view that is given up may be handed over, and its answer is then kept by another template: that is noted as any
 * other, and the answer is the first to go. What is being read at a snapshot counts once it is taken in: a reading has
 * bounds of its own.
 */
export class HeldBudget {
  readonly #bytesMax: number;
  readonly #askToSpare: (heldBytes: number) => void;
  readonly #bytes = new Map<Holder, number>();
  #total = 0;
  #isAsked = false;

  /**
   * @param bytesMax what all views may hold together, by estimate
   * @param askToSpare asks that views which nobody looks at be released; answered by `spared`, after their releases
   */
  constructor(bytesMax: number, askToSpare: (heldBytes: number) => void) {
    this.#bytesMax = bytesMax;
    this.#askToSpare = askToSpare;
  }

  /** The template may hold more or less than before: what the others hold is not looked at. */
  note(template: Holder): void {
    this.#count(template);
    if (this.#total <= this.#bytesMax || this.#isAsked) return;
    this.#isAsked = true;
    this.#askToSpare(this.#total);
  }

  /** A view of the template is gone: it holds no more than before. */
  closed(template: Holder): void {
    this.#count(template);
  }

  /** How many hold something. */
  get size(): number {
    return this.#bytes.size;
  }

  /** Whether the template may keep an answer again that was let go. */
  hasRoom(template: Holder, bytes: number): boolean {
    const others = this.#total - (this.#bytes.get(template) ?? 0);
    return others + template.heldBytes + bytes <= this.#sparedBytes;
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
        if (template.kind === 'incremental') template.trim();
        this.note(template);
      }
    if (this.#total > this.#bytesMax) this.#letGo();
    while (this.#total > this.#bytesMax) {
      const template = this.#greediest();
      if (template?.giveUp() !== true) break;
      if (this.#bytes.has(template)) this.note(template);
    }
    this.#isAsked = false;
  }

  get #sparedBytes(): number {
    return this.#bytesMax * (1 - SPARE_PART);
  }

  #count(template: Holder): void {
    // What was read for views that are gone by now is held by nobody.
    if (template.viewCount === 0) return this.forget(template);
    const bytes = template.heldBytes;
    this.#total += bytes - (this.#bytes.get(template) ?? 0);
    this.#bytes.set(template, bytes);
  }

  /** More than has to be: all of them are looked at, which is not to be done at each change. */
  #letGo(): void {
    const kept = [...this.#bytes.keys()].flatMap((template) =>
      template.kind === 'rerun' ? Array.from(template.kept(), (one) => ({ template, one })) : [],
    );
    for (const { template, one } of kept.toSorted((a, b) => b.one.bytes - a.one.bytes)) {
      if (this.#total <= this.#sparedBytes) return;
      one.letGo();
      this.#count(template);
    }
  }

  /** The template that holds most for each view that it could give up. */
  #greediest(): Following | null {
    let greediest: Following | null = null;
    let most = 0;
    for (const [template, bytes] of this.#bytes) {
      if (template.kind !== 'incremental') continue;
      const share = template.followedCount === 0 ? 0 : bytes / template.followedCount;
      if (share <= most) continue;
      most = share;
      greediest = template;
    }
    return greediest;
  }
}
