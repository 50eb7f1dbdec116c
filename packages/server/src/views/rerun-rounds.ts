import type { Lsn } from '@sluice/core/lsn';
import type { Binding } from '@sluice/core/plan';
import type { Row } from '@sluice/core/value';
import type { Planned } from '../planner/planned.js';
import type { Fetch, FetchOptions, Run } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import { isTransient } from './errors.js';
import { restMs, SLOW_MS } from './pace.js';
import { apart } from './statements.js';
import type { Principal } from './port.js';
import type { Version } from './publications.js';
import type { Concerned } from './concerned-views.js';
import type { RerunTemplate, RerunView, RunOutcome } from './rerun-template.js';

/** Bindings that one statement runs for. */
const BATCH = 100;
/** Views of one round: they share a snapshot, and wait for each other. */
const ROUND_MAX = 1000;

export interface RerunRoundsOptions {
  fetch<T>(options: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>>;
  passed(lsn: Lsn): Promise<void>;
  chain(): number;
  version(): Version;
  /** How often the schema that a template reads was altered: what was read before that is void. */
  alterations(template: RerunTemplate): number;
  /** Its altered schema is not known yet: it is not run until then. `wake` is called then. */
  isHeld(template: RerunTemplate): boolean;
  /** The statement that runs a query for many bindings: rows `[ordinal, …columns]` in each binding's order. */
  runBatch(run: Run, planned: Planned, bindings: readonly Binding[]): Promise<readonly (readonly Row[])[]>;
  /** The templates whose answers a transaction may change, and of which views. */
  touchedBy(transaction: Transaction): ReadonlyMap<RerunTemplate, Concerned<RerunView>>;
  readonly statementTimeoutMs: number;
  /** The least time between the starts of two rounds of a lane, ms. */
  readonly intervalMs: number;
  /** How many times as long as a slow run took its template rests before the next. */
  readonly restFactor: number;
  now(): number;
  sleep(ms: number): Promise<void>;
  recovered(error: unknown): Promise<void>;
  onRun(template: RerunTemplate, views: number, ms: number): void;
  /** It may keep more than before: a view was told what its run gave. */
  onTold(template: RerunTemplate): void;
  /** A template is run at its own pace from now on: its runs are slow. */
  onSlowed(template: RerunTemplate, ms: number, restMs: number): void;
}

/**
 * Runs dirty views again, in rounds. All views of a round are read at one snapshot, so that a position exists at
 * which all of them stand (C6). Two lanes, so that a slow query holds up slow queries only. A slow template rests after
 * each run for some times as long as it took, so that its share of the database's time is bounded however often its tables
 * change; meanwhile its views have a gap, and clients are told that they are behind (C14).
 */
export class RerunRounds {
  readonly #options: RerunRoundsOptions;
  readonly #templates = new Set<RerunTemplate>();
  readonly #busy = { fast: false, slow: false };
  /** When the slow lane is woken for those that rest. */
  #alarmMs: number | null = null;
  #stopped = false;

  constructor(options: RerunRoundsOptions) {
    this.#options = options;
  }

  add(template: RerunTemplate): void {
    this.#templates.add(template);
  }

  remove(template: RerunTemplate): void {
    this.#templates.delete(template);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Something became dirty. */
  wake(): void {
    for (const lane of ['fast', 'slow'] as const) {
      if (this.#busy[lane]) continue;
      this.#busy[lane] = true;
      setImmediate(() => void this.#runLane(lane));
    }
  }

  async #runLane(lane: Lane): Promise<void> {
    const { now, sleep, intervalMs } = this.#options;
    for (;;) {
      const work = this.#collect(lane);
      if (work.length === 0 || this.#stopped) break;
      const start = now();
      await this.#attempt(work);
      // Who turned out slow, or quick, and has to run again is the other lane's from here on, which may be asleep.
      if (work.some(({ template }) => laneOf(template) !== lane)) this.wake();
      const tookMs = now() - start;
      await sleep(restMs(tookMs, intervalMs));
    }
    this.#busy[lane] = false;
    this.#wakeRested();
  }

  /** Who rests, and is dirty, is looked at when the first of them has rested. */
  #wakeRested(): void {
    const now = this.#options.now();
    const resting = [...this.#templates].filter(
      ({ dirty, restsUntilMs }) => dirty.size > 0 && restsUntilMs > now,
    );
    const first = Math.min(...resting.map(({ restsUntilMs }) => restsUntilMs));
    if (this.#stopped || resting.length === 0 || (this.#alarmMs !== null && this.#alarmMs <= first)) return;
    this.#alarmMs = first;
    void this.#options.sleep(first - now).then(() => {
      if (this.#alarmMs === first) this.#alarmMs = null;
      this.wake();
    });
  }

  /** A round that fails as a whole is taken apart: a template that cannot be read must not keep the others from it. */
  async #attempt(work: readonly Work[]): Promise<void> {
    try {
      await this.#round(work);
    } catch (error) {
      if (isTransient(error)) return this.#options.recovered(error);
      const [only, ...others] = work;
      if (only === undefined || others.length > 0) for (const one of work) await this.#attempt([one]);
      else for (const view of only.views) only.template.fail(view, error, this.#options.version());
    }
  }

  #collect(lane: Lane): Work[] {
    const work: Work[] = [];
    let room = ROUND_MAX;
    for (const template of this.#templates) {
      if (template.dirty.size === 0 || this.#options.isHeld(template) || laneOf(template) !== lane) continue;
      if (template.restsUntilMs > this.#options.now()) continue;
      const views = [...template.dirty].slice(0, room);
      room -= views.length;
      if (views.length > 0) work.push({ template, views });
    }
    return work;
  }

  async #round(work: readonly Work[]): Promise<void> {
    const tables = [...new Set(work.flatMap(({ template }) => template.planned.reads))];
    const { statementTimeoutMs } = this.#options;
    const began = this.#options.version().lsn;
    const alterations = work.map(({ template }) => this.#options.alterations(template));
    const fetch = await this.#options.fetch({ tables, statementTimeoutMs }, (run) => this.#runAll(run, work));
    try {
      await this.#options.passed(fetch.upper);
      if (fetch.chain !== this.#options.chain()) return;
      const unseen = fetch
        .unseen()
        .map((transaction) => ({ transaction, touched: this.#options.touchedBy(transaction) }));
      work.forEach(({ template, views }, index) => {
        if (this.#options.alterations(template) !== alterations[index]) return; // run again under the new schema
        const relevant = unseen.flatMap(({ transaction, touched }) => {
          const of = touched.get(template);
          return of === undefined ? [] : [{ ...transaction, of }];
        });
        const standings = template.standings(fetch.snapshot, relevant, began, fetch.upper);
        const outcomes = fetch.result[index] ?? [];
        views.forEach((one, place) => {
          const outcome = outcomes[place];
          if (!outcome) return;
          template.publish(one, outcome, standings, this.#options.version().epoch);
          this.#options.onTold(template);
        });
        template.trim();
      });
    } finally {
      fetch.end();
    }
  }

  async #runAll(run: Run, work: readonly Work[]): Promise<RunOutcome[][]> {
    const results: RunOutcome[][] = [];
    for (const { template, views } of work) {
      const start = this.#options.now();
      await become(run, template.principal);
      const outcomes: RunOutcome[] = [];
      for (let from = 0; from < views.length; from += BATCH) {
        outcomes.push(...(await this.#runViews(run, template, views.slice(from, from + BATCH))));
      }
      const ms = this.#options.now() - start;
      template.costMs =
        template.costMs === 0 ? ms / views.length : 0.8 * template.costMs + 0.2 * (ms / views.length);
      this.#rest(template, views.length, ms);
      this.#options.onRun(template, views.length, ms);
      results.push(outcomes);
    }
    return results;
  }

  #rest(template: RerunTemplate, views: number, ms: number): void {
    const was = template.isSlowed;
    template.isSlowed = ms / views > SLOW_MS;
    const rest = template.isSlowed ? ms * this.#options.restFactor : 0;
    template.restsUntilMs = this.#options.now() + rest;
    if (template.isSlowed && !was) this.#options.onSlowed(template, ms, rest);
  }

  async #runViews(run: Run, template: RerunTemplate, views: readonly RerunView[]): Promise<RunOutcome[]> {
    const bindings = views.map((one) => one.binding);
    const outcomes = await apart(run, bindings, async (some) => {
      const results = await this.#options.runBatch(run, template.planned, some);
      return results.map((rows): RunOutcome => ({ rows }));
    });
    return outcomes;
  }
}

type Lane = 'fast' | 'slow';

function laneOf(template: RerunTemplate): Lane {
  return template.costMs > SLOW_MS ? 'slow' : 'fast';
}

interface Work {
  readonly template: RerunTemplate;
  readonly views: readonly RerunView[];
}

/** C21: from here on the transaction is the client's: its role, its claims, row security on. */
async function become(run: Run, principal: Principal): Promise<void> {
  await run(
    `SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true), set_config('row_security', 'on', true)`,
    [principal.role, JSON.stringify(principal.claims)],
  );
}
