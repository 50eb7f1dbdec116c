import pg from 'pg';
import { STATUSES } from '../shared/vocabulary.js';
import { MEMBERS } from './company.js';
import { COMMENTS } from './phrases.js';

/** Most changes a second that can be asked for. */
export const LOAD_MAX = 1_000;

const TICK_MS = 25;
const PULSE_MS = 250;
/** What a database that is slower than the load may owe. */
const BACKLOG_MS = 500;
/** Of the changes, those to the newest issues: the ones on the screen. */
const NEWEST = 400;
const NEWEST_SHARE = 0.2;
const COMMENT_SHARE = 0.02;

/** Rows that somebody else has locked are left alone: so no transaction ever waits for this one in a circle. */
const CHANGE = `
  WITH free AS (SELECT id FROM issue WHERE id = ANY($1::int[]) FOR NO KEY UPDATE SKIP LOCKED)
  UPDATE issue SET status = coalesce(change.status, issue.status),
    priority = coalesce(change.priority, issue.priority),
    assignee_id = coalesce(change.assignee_id, issue.assignee_id)
  FROM unnest($1::int[], $2::issue_status[], $3::smallint[], $4::int[])
    AS change (id, status, priority, assignee_id) JOIN free USING (id)
  WHERE issue.id = change.id`;
const COMMENT = 'INSERT INTO comment (issue_id, author_id, body) VALUES ($1, $2, $3)';

/**
 * People at work: changes issues at a given rate, and touches the pulse. Its own process and connections: it goes on
 * while the application is away.
 */
export class LoadWriter {
  readonly #pool: pg.Pool;
  #perSecond = 0;
  #owed = 0;
  #newestId = 0;
  #lastMs = 0;
  #stopped = false;
  readonly #loops: Promise<void>[] = [];
  readonly #sleeping = new Set<() => void>();

  constructor(databaseUrl: string) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    this.#pool.on('error', () => undefined);
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  set perSecond(wanted: number) {
    this.#perSecond = Math.max(0, Math.min(LOAD_MAX, wanted));
  }

  start(): void {
    this.#loops.push(this.#repeat(TICK_MS, () => this.#tick()));
    this.#loops.push(
      this.#repeat(PULSE_MS, async () => {
        await this.#pool.query('UPDATE pulse SET at = clock_timestamp()');
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wake of this.#sleeping) wake();
    await Promise.all(this.#loops);
    await this.#pool.end();
  }

  async #repeat(intervalMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      const begunMs = Date.now();
      // A database that is away or refuses (somebody dropped a table) is asked again: people would, too.
      await work().catch(() => undefined);
      await this.#sleep(Math.max(1, begunMs + intervalMs - Date.now()));
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#sleeping.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#sleeping.add(done);
    });
  }

  async #tick(): Promise<void> {
    const nowMs = Date.now();
    const sinceMs = Math.min(nowMs - this.#lastMs, BACKLOG_MS);
    this.#lastMs = nowMs;
    this.#owed = this.#perSecond === 0 ? 0 : this.#owed + (this.#perSecond * sinceMs) / 1_000;
    const count = Math.floor(this.#owed);
    if (count === 0) return;
    this.#owed -= count;
    await this.#change(count);
  }

  async #change(count: number): Promise<void> {
    if (this.#newestId === 0) {
      const { rows } = await this.#pool.query<{ id: number | null }>('SELECT max(id) AS id FROM issue');
      this.#newestId = rows[0]?.id ?? 0;
      if (this.#newestId === 0) return;
    }
    const changes = new Map<number, readonly unknown[]>();
    for (let left = count; left > 0; left--) {
      const id = this.#someIssue();
      if (chance(COMMENT_SHARE)) await this.#pool.query(COMMENT, [id, someMember(), pick(COMMENTS)]);
      else changes.set(id, someChange());
    }
    const column = (index: number): unknown[] => [...changes.values()].map((change) => change[index]);
    await this.#pool.query(CHANGE, [[...changes.keys()], column(0), column(1), column(2)]);
  }

  #someIssue(): number {
    const among = chance(NEWEST_SHARE) ? Math.min(NEWEST, this.#newestId) : this.#newestId;
    return this.#newestId - int(among);
  }
}

/** Status, priority and assignee; null leaves what is. */
function someChange(): readonly unknown[] {
  const which = Math.random();
  if (which < 0.6) return [pick(STATUSES), null, null];
  return which < 0.8 ? [null, int(5), null] : [null, null, someMember()];
}

function someMember(): number {
  return 1 + int(MEMBERS.length);
}

function int(below: number): number {
  return Math.floor(Math.random() * below);
}

function chance(probability: number): boolean {
  return Math.random() < probability;
}

function pick<T>(list: readonly T[]): T | undefined {
  return list[int(list.length)];
}
