import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createClient,
  type AnyRow,
  type Client,
  type LiveView,
  type QueryRef,
  type SqlRef,
} from '@sluice/client';
import type { Random } from '../kit/random.js';
import { answerOf, errorAnswer, type Answer, type TextRow } from './answer.js';
import type { Corpus } from './corpus.js';
import type { Judge, SeenView } from './judge.js';
import { observedSocket } from './observed-socket.js';
import type { Bound } from './query.js';
import { lsnOf } from './wal-stream.js';

export interface WatcherOptions {
  readonly name: string;
  readonly url: string;
  readonly judge: Judge;
  readonly corpus: Corpus;
  readonly random: Random;
  /** Which client it is: each begins with other queries. */
  readonly place: number;
  /** Live views held besides those that are always watched. */
  readonly views: number;
  /** Opens, closes and replaces a view after at most this long. 0: never. */
  readonly churnMsMax: number;
  /** Where everything on its wire is written down. */
  readonly wire: string | null;
  /** A fault planted on the wire, to see it found. */
  readonly tamper?: (text: string) => readonly string[];
}

/** How long a user would wait before asking again. */
const ASK_AGAIN_MS = 300;

interface Held {
  live: LiveView;
  bound: Bound;
  /** What was last reported of it, when it was not current: not reported twice. */
  reported: string;
}

/**
 * A client like any other, whose whole screen is reported to the judge after every move. It closes, opens and
 * replaces views while it runs, so that hydrations race the writers.
 */
export class Watcher {
  readonly name: string;
  readonly client: Client;
  readonly #options: WatcherOptions;
  readonly #held: Held[] = [];
  readonly #stop = new AbortController();
  readonly #answers = new WeakMap<readonly AnyRow[], Answer>();
  readonly #log: WriteStream | null;
  /** The screen as last reported. */
  #screen = '';
  #screens = 0;
  readonly #ids = new WeakMap<readonly AnyRow[], number>();
  #churning: Promise<void> = Promise.resolve();
  /** Errors that are no answers of Postgres and will not mend by themselves. */
  readonly refusals: Set<string> = new Set();
  readonly #ended = new WeakSet<LiveView>();

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#log = options.wire === null ? null : createWriteStream(options.wire);
    this.name = options.name;
    options.judge.join(this.name);
    this.client = createClient({
      url: options.url,
      values: 'text',
      keepMs: 300,
      random: () => options.random.float(),
      backoff: { maxMs: 500 },
      WebSocket: observedSocket({
        ...(options.tamper ? { pass: options.tamper } : {}),
        sent: (text) => this.#note('>', text),
        turned: (event) => this.#note('-', event),
        handled: (text) => {
          this.#note('<', text);
          if (text.includes('"kind":"move"')) this.#look();
        },
      }),
    }).client;
    for (const bound of options.corpus.always) this.#open(bound);
    for (let i = 0; i < options.views; i++)
      this.#open(options.corpus.turn(options.place * options.views + i, options.random));
    if (options.churnMsMax > 0) this.#churning = this.#churn();
  }

  async close(): Promise<void> {
    await this.settle();
    this.client.close();
    this.#log?.end();
    this.#options.judge.leave(this.name);
  }

  /** Opens and closes no more views. */
  async settle(): Promise<void> {
    this.#stop.abort();
    await this.#churning;
  }

  /** Waits until every view is current at or past the position. @returns what is missing, or null. */
  async arrive(lsn: string, timeoutMs: number): Promise<string | null> {
    const deadline = Date.now() + timeoutMs;
    const late = await this.client.reached(lsn, { timeoutMs }).then(
      () => null,
      (error: Error & { code?: string }) => `${error.code ?? ''} ${error.message}`,
    );
    if (late !== null)
      return `${late}; client ${this.client.status} at ${this.client.position}, ${this.#statuses()}`;
    for (;;) {
      const odd = this.#held.filter(
        ({ live }) => live.status !== 'current' && !(live.error && sqlstateOf(live.error)),
      );
      if (odd.length === 0) return null;
      if (Date.now() > deadline) return this.#statuses();
      await sleep(50);
    }
  }

  /**
   * Waits for a commit token and looks at once.
   * @returns where the client stands then, and what it calls current although it is older
   */
  async reach(
    token: string,
    timeoutMs: number,
  ): Promise<{ readonly lsn: bigint; readonly older: string | null }> {
    await this.client.reached(token, { timeoutMs });
    const lsn = this.#position();
    if (lsn === null) return { lsn: 0n, older: 'it has no position' };
    const older = this.#held.filter(
      ({ live }) =>
        live.status === 'current' && (live.position === null || lsnOf(lsnPart(live.position)) < lsn),
    );
    this.#look(true);
    return { lsn, older: older.length === 0 ? null : older.map(({ bound }) => bound.key).join(', ') };
  }

  #position(): bigint | null {
    const { position } = this.client;
    return position === null ? null : lsnOf(lsnPart(position));
  }

  #note(direction: string, text: string): void {
    this.#log?.write(`${new Date().toISOString()} ${direction} ${text}\n`);
  }

  #statuses(): string {
    const odd = this.#held.filter(({ live }) => live.status !== 'current');
    return odd.map(({ live, bound }) => `${bound.key} ${live.status} ${live.error?.code ?? ''}`).join(', ');
  }

  /** What is on the screen now, for the last comparison with the primary itself. */
  screen(): readonly { readonly bound: Bound; readonly status: string; readonly answer: Answer | null }[] {
    return this.#held.map(({ live, bound }) => ({
      bound,
      status: live.status,
      answer: this.#answer(live, bound),
    }));
  }

  #open(bound: Bound): void {
    const live = this.client.live(refOf(bound));
    const held: Held = { live, bound, reported: '' };
    live.ready.catch(() => this.#askAgainIfEnded(held)); // else its status says so too
    this.#held.push(held);
  }

  async #churn(): Promise<void> {
    const { random, corpus, judge, churnMsMax } = this.#options;
    const fixed = corpus.always.length;
    for (;;) {
      await sleep(random.int(churnMsMax), undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      const at = fixed + random.int(this.#held.length - fixed);
      const held = this.#held[at];
      if (!held) continue;
      const bound = corpus.draw(random, judge.compared);
      if (random.chance(0.5)) {
        held.live.replace(refOf(bound));
        held.bound = bound;
        held.live.ready.catch(() => this.#askAgainIfEnded(held));
        held.reported = '';
      } else {
        held.live.close();
        this.#held.splice(at, 1);
        this.#open(bound);
      }
    }
  }

  /** Called after every move, when all views and the position are in place. */
  #look(glance = false): void {
    const position = this.client.position;
    if (position === null) return;
    const epoch = position.slice(0, position.lastIndexOf(':'));
    const lsn = lsnOf(lsnPart(position));
    const screen = this.#held.map((held) => this.#trace(held)).join(' ');
    const empty = screen === this.#screen;
    this.#screen = screen;
    const views = this.#held.flatMap((held) => this.#seen(held, lsn));
    this.#options.judge.moved(this.name, { epoch, lsn, views, empty, ...(glance ? { glance } : {}) });
  }

  #seen(held: Held, lsn: bigint): readonly SeenView[] {
    const { live, bound } = held;
    const answer = this.#answer(live, bound);
    if (answer === null) return [];
    const common = { bound, answer, gear: live.gear ?? 'none' };
    if (live.status === 'current') return [{ ...common, lsn, behind: false, again: false }];
    // Of an error the client tells only where it began: that is where it is compared.
    if (live.position === null) return [];
    const own = lsnOf(lsnPart(live.position));
    const reported = `${own} ${answer.digest}`;
    const again = held.reported === reported;
    held.reported = reported;
    return [{ ...common, lsn: own, behind: true, again }];
  }

  /** @returns null while the view shows nothing that could be compared. */
  #answer(live: LiveView, bound: Bound): Answer | null {
    const { status } = live;
    if (status === 'loading' || status === 'partial' || status === 'switching') return null;
    if (status === 'error') return this.#failure(live, bound);
    const { rows } = live;
    const held = this.#answers.get(rows);
    if (held) return held;
    const answer = answerOf(rows.map(texts), bound.query.ordered);
    this.#answers.set(rows, answer);
    return answer;
  }

  /** An error that Postgres raises for the query is an answer (C17); any other is a complaint. */
  #failure(live: LiveView, bound: Bound): Answer | null {
    const error = live.error;
    if (error === null) return null;
    if (error.retry) return null; // no answer, and the client asks again by itself
    const sqlstate = sqlstateOf(error);
    if (sqlstate !== null) return errorAnswer(sqlstate);
    if (bound.query.endsWith?.includes(error.code) === true) {
      this.#askAgain(live);
      return null;
    }
    const complaint = `${bound.query.id}: ${error.code} ${error.message} ${error.detail ?? ''}`;
    this.refusals.add(complaint);
    return null;
  }

  /** What ended with the schema that it was about is asked again, as a user would, until it can be answered. */
  #askAgain(live: LiveView): void {
    if (this.#ended.has(live)) return;
    this.#ended.add(live);
    this.#options.judge.subscriptionEnded();
    setTimeout(() => {
      const held = this.#held.find((one) => one.live === live);
      if (!held || this.client.status === 'closed') return;
      live.close();
      held.live = this.client.live(refOf(held.bound));
      held.live.ready.catch(() => this.#askAgainIfEnded(held));
    }, ASK_AGAIN_MS).unref();
  }

  /** No move may follow that makes anybody look. */
  #askAgainIfEnded({ live, bound }: Held): void {
    if (live.status === 'error') this.#failure(live, bound);
  }

  /** The same text while the view shows the same. */
  #trace({ live, bound }: Held): string {
    let id = this.#ids.get(live.rows);
    if (id === undefined) {
      id = ++this.#screens;
      this.#ids.set(live.rows, id);
    }
    return `${bound.key} ${live.status} ${id}`;
  }
}

/** Of an error that Postgres raised for the query; null for any other. */
function sqlstateOf(error: { readonly detail: string | undefined; readonly retry: boolean }): string | null {
  if (error.retry) return null;
  return /^SQLSTATE (\w{5})\b/.exec(error.detail ?? '')?.[1] ?? null;
}

function refOf({ query, params }: Bound): QueryRef | SqlRef {
  if (query.named === true) return { query: query.id, args: params };
  return { sql: query.sql, params, ...(query.clock ? { tick: query.clock.tick } : {}) };
}

/** Of a position, which is `epoch:lsn`. */
function lsnPart(position: string): string {
  return position.slice(position.lastIndexOf(':') + 1);
}

function texts(row: AnyRow): TextRow {
  return Object.values(row).map((value) => (value === null ? null : String(value)));
}
