/**
 * How far the stream is behind the WAL, in stages (C19):
 * - `none`: it keeps up.
 * - `pause`: no read at a snapshot begins.
 * - `shed`: the reads that are open are given up too, and views that are behind are not followed.
 */
export type BacklogStage = 'none' | 'pause' | 'shed';

/** Of `maxRetainedWalBytes`. */
const PAUSE_PERCENT = 50;
const SHED_PERCENT = 75;
/** Below this it is over, from either stage: so far below that one does not flutter. */
const OVER_PERCENT = 25;

export interface BacklogOptions {
  /** What counts as all: where the slot is given up. */
  readonly limitBytes: number;
  /** After so long in a stage there is no more hope of catching up. */
  readonly msMax: number;
  readonly now: () => number;
}

/**
 * Decides the stage from the WAL that the stream has not read yet. That is less than what our slot retains: what is
 * read and not confirmed, or held back by a transaction of someone else, does not go away by reading faster.
 *
 *          25 %                50 %            75 %            100 %
 *   none ───┼───────────────────┼▶ pause ───────┼▶ shed ────────┼▶ the slot is given up
 *      ◀────┼───────────────────┴───────────────┘
 */
export class Backlog {
  readonly #options: BacklogOptions;
  #stage: BacklogStage = 'none';
  #since = 0;
  #pauses = 0;
  #sheds = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  get stage(): BacklogStage {
    return this.#stage;
  }

  /** How often each stage was entered. */
  get counts(): { readonly pause: number; readonly shed: number } {
    return { pause: this.#pauses, shed: this.#sheds };
  }

  /** How long it has been other than `none`. */
  get forMs(): number {
    return this.#stage === 'none' ? 0 : this.#options.now() - this.#since;
  }

  /** Waiting any longer would leave views behind for longer than reading all anew takes. */
  get isHopeless(): boolean {
    return this.forMs >= this.#options.msMax;
  }

  /** There is a new connection: what happened before says nothing of it. */
  hopeAnew(): void {
    this.#since = this.#options.now();
  }

  /** @param bytes from where the stream is to the end of the WAL. @returns whether the stage is another one */
  look(bytes: bigint): boolean {
    const before = this.#stage;
    const percent = Number((bytes * 100n) / BigInt(this.#options.limitBytes));
    this.#stage = next(before, percent);
    if (this.#stage === before) return false;
    if (before === 'none') this.#since = this.#options.now();
    if (before === 'none' && this.#stage !== 'none') this.#pauses++;
    if (this.#stage === 'shed') this.#sheds++;
    return true;
  }
}

function next(stage: BacklogStage, percent: number): BacklogStage {
  if (percent >= SHED_PERCENT) return 'shed';
  if (percent < OVER_PERCENT) return 'none';
  if (stage === 'none' && percent >= PAUSE_PERCENT) return 'pause';
  return stage;
}
