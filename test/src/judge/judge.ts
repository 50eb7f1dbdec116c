import { setTimeout as sleep } from 'node:timers/promises';
import { diffOf, type Answer } from './answer.js';
import { alters, tablesOf } from './apply.js';
import type { WalTransaction } from './pgoutput.js';
import type { Bound } from './query.js';
import { noCounts, type Counts, type Wrong } from './report.js';
import type { Shadow } from './shadow.js';
import { lsnText } from './wal-stream.js';

/*
 * Clients report what they show after every move; the shadow visits the reported positions in WAL order, some
 * seconds later, and each view is compared there with what Postgres answers.
 *
 *   primary ──WAL──▶ queue ──apply──▶ shadow ──answer──▶ compare ◀──by position── sightings ◀── clients
 *
 * The shadow cannot go back. It goes no further than the *floor*: the lowest position at which some client may
 * still report something. A client's positions never go back (P3), so that is what it last reported.
 */

/** One view of one client, as shown after a move. */
export interface SeenView {
  readonly bound: Bound;
  /** The position that its rows are said to be at: the client's, unless it is behind. */
  readonly lsn: bigint;
  readonly answer: Answer;
  readonly behind: boolean;
  readonly gear: string;
  /** Reported before, at the same position: it is not compared again, but it may still be reported. */
  readonly again: boolean;
}

export interface SeenMove {
  readonly epoch: string;
  readonly lsn: bigint;
  readonly views: readonly SeenView[];
  /** Nothing that the client shows is different from before. */
  readonly empty: boolean;
  /** Something may still be reported at this earlier position. */
  readonly floor?: bigint;
  /** The screen as it is between two moves, looked at for another reason. */
  readonly glance?: true;
}

/** A difference that a change of the schema, told by nobody, may explain when the shadow comes to it. */
interface Suspect {
  readonly reads: readonly string[];
  readonly atMicros: bigint;
  readonly condemn: () => void;
}

interface Sighting {
  readonly client: string;
  /** When it was reported, in microseconds of the Unix epoch. */
  readonly atMicros: bigint;
  readonly view: SeenView;
}

interface Seat {
  floor: bigint;
  lsn: bigint;
  epoch: string | null;
}

/** A quantity that no transaction changes, read off one client's views. @returns null while it cannot be read. */
export interface Invariant {
  readonly name: string;
  check(views: readonly SeenView[]): string | null;
}

/** Where the stream of the primary's commits stands. */
export interface Feed {
  readonly position: bigint;
  check(): void;
}

const WRONGS_KEPT = 20;
/** How long the shadow lags, so that a client that has just come may start at a slower server's position. */
const LAG_MS = 3000;
/** A client that is silent for longer than this no longer holds the shadow. */
const HOLD_MS = 180_000;
const PAUSE_MS = 25;
/**
 * Without the event trigger a change of the schema is noticed by the poll of the catalog, which is promised within 1 s
 * (docs/operations.md); the rest is what a busy machine takes to read it.
 */
export const NOTICE_MS = 4000;
/** A tick is a commit that carries a logical message: its interval in ms. */
const TICK_PREFIX = 'sluice.tick';

export class Judge {
  readonly counts: Counts = noCounts();
  readonly wrongs: Wrong[] = [];
  /** What was reported at a position that the shadow had left. */
  readonly late: string[] = [];
  readonly gears: Record<string, number> = {};
  /** How many of the wrongs each client saw. */
  readonly wrongBy: Record<string, number> = {};
  readonly compared: Set<string> = new Set();
  /** While writers run; decides what counts as unsettled. */
  writing = false;
  readonly #shadow: Shadow;
  readonly #feed: Feed;
  readonly #invariants: readonly Invariant[];
  /** How long after it a change of the schema may go unnoticed; 0: it is told at its exact position. */
  readonly #noticeMicros: bigint;
  /** When what a query may read was last altered, as far as the shadow has come. */
  readonly #altered = new Map<string, bigint>();
  /** Differences that are wrong unless the schema changes soon after them. */
  #suspects: Suspect[] = [];
  /** When the last transaction that the shadow has taken committed. */
  #atMicros = 0n;
  readonly #queue: { readonly transaction: WalTransaction; readonly atMs: number }[] = [];
  readonly #seats = new Map<string, Seat>();
  readonly #sightings = new Map<bigint, Sighting[]>();
  /** When the last tick of each interval committed, as far as the shadow has come. */
  readonly #ticks = new Map<number, bigint>();
  #draining = false;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(shadow: Shadow, feed: Feed, invariants: readonly Invariant[] = [], noticeMs = 0) {
    this.#noticeMicros = BigInt(noticeMs) * 1000n;
    this.#shadow = shadow;
    this.#feed = feed;
    this.#invariants = invariants;
  }

  /** From the stream, in WAL order. */
  transaction(transaction: WalTransaction): void {
    this.#queue.push({ transaction, atMs: Date.now() });
    this.counts.transactions++;
  }

  /** A client is about to connect: the shadow waits where it is until it has said where it stands. */
  join(client: string): void {
    this.#seats.set(client, { floor: this.#shadow.position, lsn: 0n, epoch: null });
  }

  leave(client: string): void {
    this.#seats.delete(client);
  }

  /** A client has moved. */
  moved(client: string, move: SeenMove): void {
    const seat = this.#seats.get(client);
    if (!seat) return;
    if (move.glance !== true) this.#count(move);
    this.#checkForward(client, seat, move);
    seat.lsn = move.lsn;
    seat.epoch = move.epoch;
    seat.floor = less(move.lsn, move.floor ?? move.lsn);
    for (const view of move.views) {
      if (view.lsn < seat.floor) seat.floor = view.lsn;
      if (view.again) continue;
      const sighting = { client, view, atMicros: BigInt(Date.now() + 1) * 1000n };
      const held = this.#sightings.get(view.lsn);
      if (held) held.push(sighting);
      else this.#sightings.set(view.lsn, [sighting]);
    }
    for (const invariant of this.#invariants) {
      const broken = invariant.check(move.views.filter((view) => view.lsn === move.lsn));
      if (broken !== null) this.#wrong('invariant', client, move.lsn, invariant.name, [], [broken]);
    }
  }

  #count(move: SeenMove): void {
    this.counts.moves++;
    if (this.writing) this.counts.unsettled++;
    if (move.empty) this.counts.empty++;
  }

  #checkForward(client: string, seat: Seat, move: SeenMove): void {
    if (seat.epoch !== null && seat.epoch !== move.epoch)
      this.#wrong('epoch', client, move.lsn, '', [], [`was ${seat.epoch}, is ${move.epoch}`]);
    else if (move.lsn < seat.lsn) this.#wrong('back', client, move.lsn, '', [], [`was ${lsnText(seat.lsn)}`]);
  }

  start(): void {
    this.#running = this.#run();
    this.#running.catch(() => undefined); // told by `ended` and `drain`
  }

  /** Settles early only when the judge has failed: then nothing that follows would prove anything. */
  get ended(): Promise<void> {
    return this.#running;
  }

  /** Judges everything that was seen; resolves when nothing is left. The stream must have passed it all. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#seats.clear();
    const deadline = Date.now() + HOLD_MS;
    while (this.#sightings.size > 0 || this.#queue.length > 0) {
      if (Date.now() > deadline) throw new Error(`the shadow did not pass what was seen: ${this.state()}`);
      await Promise.race([sleep(PAUSE_MS), this.#running]);
    }
    this.#stopped = true;
    await this.#running;
    this.#condemn(() => true);
    this.counts.evaluations = this.#shadow.evaluations;
  }

  state(): string {
    const floor = this.#floor();
    return (
      `shadow at ${lsnText(this.#shadow.position)}, stream at ${lsnText(this.#feed.position)}, ` +
      `${this.#queue.length} transactions and ${this.#sightings.size} positions waiting` +
      (floor === null ? '' : `, held at ${lsnText(floor.lsn)} by ${floor.client}`)
    );
  }

  /** Stops where it stands, for a run that failed otherwise. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running.catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#feed.check();
      const target = this.#target();
      const next = [...this.#sightings.keys()].filter((lsn) => lsn <= target).sort(ascending);
      for (const lsn of next) await this.#visit(lsn);
      await this.#advance(target);
      await sleep(PAUSE_MS);
    }
  }

  /** How far the shadow may go. */
  #target(): bigint {
    let target = this.#feed.position;
    if (this.#draining) return target;
    const now = Date.now();
    const fresh = this.#queue.find(({ atMs }) => atMs > now - LAG_MS);
    if (fresh) target = less(target, fresh.transaction.lsn - 1n);
    const floor = this.#floor();
    const oldest = this.#queue[0];
    if (floor !== null && !(oldest && oldest.atMs < now - HOLD_MS)) target = less(target, floor.lsn);
    return target;
  }

  #floor(): { readonly client: string; readonly lsn: bigint } | null {
    let lowest: { client: string; lsn: bigint } | null = null;
    for (const [client, seat] of this.#seats)
      if (lowest === null || seat.floor < lowest.lsn) lowest = { client, lsn: seat.floor };
    return lowest;
  }

  async #advance(target: bigint): Promise<void> {
    for (;;) {
      const first = this.#queue[0];
      if (!first || first.transaction.lsn > target) return;
      await this.#shadow.apply(first.transaction);
      this.#note(first.transaction);
      this.#queue.shift();
    }
  }

  async #visit(lsn: bigint): Promise<void> {
    const late = lsn < this.#shadow.position;
    if (!late) await this.#advance(lsn);
    const sightings = this.#sightings.get(lsn) ?? [];
    this.#sightings.delete(lsn);
    if (late) {
      this.counts.unjudged += sightings.length;
      for (const { client, view } of sightings.slice(0, WRONGS_KEPT - this.late.length))
        this.late.push(
          `${client} reported ${view.bound.key} at ${lsnText(lsn)}, the shadow was at ${lsnText(this.#shadow.position)}` +
            ` (${view.behind ? 'not current' : 'current'}, ${view.answer.kind})`,
        );
      return;
    }
    this.counts.positions++;
    for (const sighting of sightings) {
      const { client, view } = sighting;
      const truth = view.bound.query.clock
        ? await this.#answerInTime(sighting)
        : await this.#shadow.answer(view.bound);
      this.#compare(client, lsn, view, truth);
    }
  }

  #note(transaction: WalTransaction): void {
    this.#atMicros = transaction.atMicros;
    if (alters(transaction)) {
      this.counts.alterations++;
      const tables = tablesOf(transaction);
      for (const table of tables) this.#altered.set(table, transaction.atMicros);
      this.#excuse(new Set(tables));
    }
    this.#condemn((suspect) => transaction.atMicros - suspect.atMicros > this.#noticeMicros);
    for (const { prefix, content } of transaction.messages) {
      if (prefix !== TICK_PREFIX) continue;
      this.#ticks.set(Number(content), transaction.atMicros);
      this.counts.ticks++;
    }
  }

  /**
   * A query that reads the clock: at a position it is answered for a reading of the clock that followed the last tick
   * at or before that position, and that came before it was seen (decision 032).
   */
  async #answerInTime({ view, atMicros }: Sighting): Promise<Answer> {
    const tick = this.#ticks.get(view.bound.query.clock?.tickMs ?? 0) ?? null;
    const answers = await this.#shadow.answersOver(view.bound, tick, atMicros);
    const possible = answers.filter(({ at }) => at <= atMicros);
    this.counts.timed++;
    const same = possible.find(({ answer }) => answer.digest === view.answer.digest);
    const found = same ?? possible.at(-1);
    if (!found) throw new Error(`assertion failed: ${view.bound.key} has no answer`);
    return found.answer;
  }

  #compare(client: string, lsn: bigint, view: SeenView, truth: Answer): void {
    this.counts.comparisons++;
    if (view.behind) this.counts.behind++;
    if (truth.kind === 'error') this.counts.errors++;
    this.gears[view.gear] = (this.gears[view.gear] ?? 0) + 1;
    this.compared.add(view.bound.query.id);
    if (truth.digest === view.answer.digest || this.#unnoticed(view)) return;
    const { query, params } = view.bound;
    const detail = [view.behind ? 'behind' : 'current', query.sql, ...diffOf(truth, view.answer)];
    const condemn = (): void => this.#wrong('rows', client, lsn, query.id, params, detail);
    if (this.#noticeMicros === 0n) condemn();
    else this.#suspects.push({ reads: query.reads, atMicros: this.#atMicros, condemn });
  }

  /**
   * Without the event trigger an answer that waits for an invisible commit is dated from before it (decision 036),
   * though it was read under definitions of after it.
   */
  #excuse(altered: ReadonlySet<string>): void {
    this.#suspects = this.#suspects.filter(({ reads, atMicros }) => {
      const sinceMicros = this.#atMicros - atMicros;
      if (sinceMicros > this.#noticeMicros || !reads.some((name) => altered.has(name))) return true;
      this.counts.early++;
      this.counts.earlyMsMax = Math.max(this.counts.earlyMsMax, Number(sinceMicros / 1000n));
      return false;
    });
  }

  #condemn(isGuilty: (suspect: Suspect) => boolean): void {
    const guilty = this.#suspects.filter(isGuilty);
    if (guilty.length === 0) return;
    this.#suspects = this.#suspects.filter((suspect) => !isGuilty(suspect));
    for (const { condemn } of guilty) condemn();
  }

  /** What differs because the schema has changed so lately that nobody has promised to know: counted, and bounded. */
  #unnoticed({ bound }: SeenView): boolean {
    const altered = bound.query.reads.map((name) => this.#altered.get(name) ?? 0n);
    const sinceMicros = altered
      .map((at) => this.#atMicros - at)
      .reduce<bigint | null>((least, micros) => (least === null || micros < least ? micros : least), null);
    if (this.#noticeMicros === 0n || sinceMicros === null || sinceMicros > this.#noticeMicros) return false;
    this.counts.unnoticed++;
    this.counts.unnoticedMsMax = Math.max(this.counts.unnoticedMsMax, Number(sinceMicros / 1000n));
    return true;
  }

  /** A subscription that ended because the schema no longer has what it names. */
  subscriptionEnded(): void {
    this.counts.ended++;
  }

  #wrong(
    kind: Wrong['kind'],
    client: string,
    lsn: bigint,
    query: string,
    params: readonly (string | null)[],
    detail: readonly string[],
  ): void {
    this.counts.wrong++;
    this.wrongBy[client] = (this.wrongBy[client] ?? 0) + 1;
    if (this.wrongs.length < WRONGS_KEPT)
      this.wrongs.push({ kind, client, position: lsnText(lsn), query, params, detail });
  }
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function less(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
