import type { LiveView } from '@sluice/client';
import { propertyNames } from '@sluice/core/row-decoder';
import type { PgText } from '@sluice/core/value';
import type { Question, Rows } from './judgement.js';
import type { SocketStage } from './socket-stage.js';

/** How often is looked whether an answer has come. */
const LOOK_AGAIN_MS = 5;

/** A query with a binding that a client has subscribed to. */
export class WatchedQuery {
  readonly question: Question;
  readonly #view: LiveView;

  constructor(stage: SocketStage, question: Question) {
    const { query, binding } = question;
    this.question = question;
    this.#view = stage.client.live({ query: 'any', args: { sql: query.sql, params: binding } });
  }

  /** The server forgets it as well. */
  close(): void {
    this.#view.close({ keep: false });
  }

  get gear(): 'incremental' | 'rerun' {
    return this.#view.gear === 'incremental' ? 'incremental' : 'rerun';
  }

  /** By its name alone a function may be one whose answer the clock decides: then the query is refused. */
  get isRefused(): boolean {
    return this.#view.error?.code === 'function_not_allowed';
  }

  /** It has its answer, be it an error. */
  get isSettled(): boolean {
    return this.#view.status === 'current' || this.#view.error?.retry === false;
  }

  /** What the client shows; null for an error. */
  get held(): Rows | null {
    if (this.#view.error !== null) return null;
    const names = propertyNames(this.#view.shape ?? { columns: [], ordered: false });
    return this.#view.rows.map((row) => names.map((name) => Reflect.get(row, name) as PgText));
  }

  /** In words. */
  get state(): string {
    const { status, error } = this.#view;
    const words = error === null ? [] : [error.code, error.detail ?? ''];
    return [this.gear, status, ...words].join(' ').trimEnd();
  }
}

/** What is committed has been seen, and every query has its answer; or it has not within that time. */
export async function settle(
  stage: SocketStage,
  watched: readonly WatchedQuery[],
  patienceMs: number,
): Promise<void> {
  const world = watched[0]?.question.world;
  if (world === undefined) return;
  await stage.reach(world, patienceMs);
  const end = performance.now() + patienceMs;
  while (watched.some(({ isSettled }) => !isSettled) && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
}
