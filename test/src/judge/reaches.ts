import { SluiceError } from '@sluice/core/errors';
import { SESSIONS_ERRORS } from '@sluice/server/sessions/errors';
import type { WalTransaction } from './pgoutput.js';
import { lsnText } from './wal-stream.js';

/*
 * Commit tokens, judged: what a client's `reached(token)` claims is compared with where the stream carried the token.
 *
 *   writer ──token──▶ client.reached ──resolves──▶ at which position ─┐
 *      └── in its transaction ──WAL──▶ the judge's stream: commit ────┴─▶ position ≥ commit, or it is wrong
 *
 * A token of a transaction that was rolled back has no commit: nobody may ever say that it was reached.
 */

export interface TokenCounts {
  /** Handed to a client. */
  tokens: number;
  reached: number;
  /** Tokens of transactions that were rolled back, and that nobody claimed to have reached. */
  unreachable: number;
  /** Refused with a registered error, during or soon after a disturbance. */
  refused: number;
  slowestMs: number;
}

/** What a transaction came to; its token may have been handed over before. */
export interface Outcome {
  state: 'open' | 'committed' | 'rolled back' | 'unknown';
}

/** A client that can be asked to reach something. */
export interface Reacher {
  readonly name: string;
  /** @returns where it stands, and whatever it shows that is older. Rejects as `client.reached` does. */
  reach(token: string, timeoutMs: number): Promise<{ readonly lsn: bigint; readonly older: string | null }>;
}

/** How long a committed transaction may take to show while nothing is disturbed, on a machine that does all of this. */
const BOUND_MS = 30_000;
/** How long somebody waits for what cannot come. */
const NEVER_MS = 4_000;
/** What `reached` may reject with, by its documentation. */
const REFUSALS: ReadonlySet<string> = new Set([
  'reached_timeout',
  'too_many_reaches',
  'client_closed',
  ...Object.keys(SESSIONS_ERRORS),
]);

interface Claim {
  readonly client: string;
  readonly token: string;
  readonly lsn: bigint;
}

export class Reaches {
  readonly counts: TokenCounts = { tokens: 0, reached: 0, unreachable: 0, refused: 0, slowestMs: 0 };
  /** What a client said or did not say that it should have. */
  readonly wrongs: string[] = [];
  readonly #commits = new Map<string, bigint>();
  readonly #claims: Claim[] = [];
  readonly #waiting = new Set<Promise<void>>();
  /** Whether anything was disturbed since then, or still recovers. */
  readonly #disturbedSince: (sinceMs: number) => boolean;

  constructor(disturbedSince: (sinceMs: number) => boolean) {
    this.#disturbedSince = disturbedSince;
  }

  /** From the stream. */
  transaction(transaction: WalTransaction): void {
    for (const { prefix, content } of transaction.messages)
      if (prefix === 'sluice.token') this.#commits.set(`token-${content}`, transaction.lsn);
  }

  /** A writer hands its token to a client, before or after its transaction has ended. */
  hand(reacher: Reacher, token: string, outcome: Outcome): void {
    this.counts.tokens++;
    const waiting = this.#reach(reacher, token, outcome).finally(() => this.#waiting.delete(waiting));
    this.#waiting.add(waiting);
  }

  /** Resolves when every client has had its answer. */
  async answered(): Promise<void> {
    await Promise.all(this.#waiting);
  }

  /** Once the stream has passed everything. */
  verdict(): readonly string[] {
    for (const { client, token, lsn } of this.#claims) {
      const commit = this.#commits.get(token);
      if (commit === undefined)
        this.wrongs.push(`${client} reached the token of a transaction that never committed`);
      else if (lsn < commit)
        this.wrongs.push(
          `${client} reached a token at ${lsnText(lsn)}, which committed at ${lsnText(commit)}`,
        );
    }
    return this.wrongs;
  }

  async #reach(reacher: Reacher, token: string, outcome: Outcome): Promise<void> {
    const sinceMs = Date.now();
    try {
      const { lsn, older } = await reacher.reach(
        token,
        outcome.state === 'rolled back' ? NEVER_MS : BOUND_MS,
      );
      this.#claims.push({ client: reacher.name, token, lsn });
      this.counts.reached++;
      this.counts.slowestMs = Math.max(this.counts.slowestMs, Date.now() - sinceMs);
      if (older !== null)
        this.wrongs.push(`${reacher.name} reached a token while it showed older rows: ${older}`);
    } catch (error) {
      this.#refused(reacher.name, error, outcome, sinceMs);
    }
  }

  #refused(client: string, error: unknown, { state }: Outcome, sinceMs: number): void {
    const code = error instanceof SluiceError ? error.code : null;
    if (code === null || !REFUSALS.has(code))
      this.wrongs.push(`${client}: reached rejected with something unregistered: ${String(error)}`);
    else if (state === 'rolled back') this.counts.unreachable++;
    else if (code === 'client_closed' || this.#disturbedSince(sinceMs)) this.counts.refused++;
    else
      this.wrongs.push(
        `${client}: ${code} after ${Date.now() - sinceMs} ms, for a transaction that is ${state}`,
      );
  }
}
