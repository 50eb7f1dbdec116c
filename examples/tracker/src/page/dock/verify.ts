import type { LiveView, QueryRef, SqlRef } from '@sluice/client';
import { canonicalRows } from '../../shared/canonical.js';
import type { LetGo, ToVerify, Truth } from '../../shared/demo-api.js';
import { client } from '../live.js';
import { request } from './request.js';

export interface Verdict {
  /** The LSN at which both sides are compared. */
  readonly lsn: string;
  readonly tookMs: number;
  /** By query. */
  readonly queries: ReadonlyMap<string, QueryVerdict>;
}

export interface QueryVerdict {
  readonly isEqual: boolean;
  readonly held: number;
  readonly answered: number;
  /** SHA-256 of what is held. */
  readonly hash: string;
}

const REACH_TIMEOUT_MS = 2_500;
const TRIES = 3;

/**
 * Whether what this page holds is what Postgres answers. The server keeps writers out of the tables while it reads,
 * and until this page has reached the LSN of that and has looked at its rows (src/demo/truth.ts): both are of one
 * state of the database, however much is written before and after.
 */
export async function verify(): Promise<Verdict> {
  for (let left = TRIES; ; left--) {
    const verdict = await tryToVerify();
    if (verdict !== null) return verdict;
    if (left <= 1) throw new Error('The page did not catch up in time; nothing was compared.');
  }
}

/** @returns null when the lock was gone before the rows were read */
async function tryToVerify(): Promise<Verdict | null> {
  const begunMs = performance.now();
  const refused = client.liveViews.find(({ status, ref }) => status === 'error' && isVerifiable(ref));
  if (refused !== undefined)
    throw new Error(`${nameOf(refused)} has an error: ${refused.error?.message ?? ''}`);
  const lives = openQueries();
  try {
    await Promise.all(lives.map(({ live }) => live.ready));
    const truth = await request<Truth>('POST', '/demo/truth', { queries: lives.map(({ asked }) => asked) });
    const rows = await client
      .reached(truth.lsn, { timeoutMs: REACH_TIMEOUT_MS })
      .then(() => untilCurrent(lives.map(({ live }) => live)))
      .then(() => lives.map(({ live }) => live.rows))
      .catch(() => null);
    const { held } = await request<LetGo>('DELETE', `/demo/truth/${truth.id}`);
    if (!held || rows === null) return null;
    const queries = new Map<string, QueryVerdict>();
    for (const [index, { key, live }] of lives.entries()) {
      const answer = truth.answers[index];
      if (answer === undefined) throw new Error('an answer is missing');
      const ordered = live.shape?.ordered ?? false;
      const hash = await sha256(canonicalRows(rows[index] ?? [], ordered));
      const wanted = ordered ? answer.hash : answer.unorderedHash;
      const numbers = { held: rows[index]?.length ?? 0, answered: answer.rowCount };
      queries.set(key, { isEqual: hash === wanted, hash, ...numbers });
    }
    return { lsn: truth.lsn, tookMs: Math.round(performance.now() - begunMs), queries };
  } finally {
    for (const { live } of lives) live.close();
  }
}

interface OpenQuery {
  readonly key: string;
  readonly asked: ToVerify;
  readonly live: LiveView<unknown>;
}

/** Views of our own on what is on the screen: somebody may scroll on meanwhile. */
function openQueries(): readonly OpenQuery[] {
  const open = new Map<string, QueryRef<unknown>>();
  for (const { ref } of client.liveViews) if (isVerifiable(ref)) open.set(client.keyOf(ref), ref);
  return [...open].map(([key, ref]) => ({
    key,
    asked: { query: ref.query, args: ref.args },
    live: client.live(ref),
  }));
}

function nameOf({ ref }: LiveView<unknown>): string {
  return 'query' in ref ? ref.query : 'a query';
}

/** The pulse is not locked: it would stop for everybody. */
export function isVerifiable(ref: QueryRef<unknown> | SqlRef): ref is QueryRef<unknown> {
  return 'query' in ref && ref.query !== 'pulse';
}

/** A view that is behind has rows of an earlier position. */
async function untilCurrent(lives: readonly LiveView<unknown>[]): Promise<void> {
  const late = lives.filter(({ status }) => status !== 'current');
  if (late.length === 0) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error('behind'))), REACH_TIMEOUT_MS);
    const stops = late.map((live) =>
      live.subscribe(() => {
        if (lives.every(({ status }) => status === 'current')) end(resolve);
      }),
    );
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      finish();
    };
  });
}

async function sha256(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
