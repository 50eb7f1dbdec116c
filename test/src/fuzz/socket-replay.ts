import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '@sluice/core/errors';
import { MANNERS, type FuzzCase, type Manner } from './fuzz-case.js';
import { judge, type Judge } from './judgement.js';
import { NOTHING, type Replayed } from './replay.js';
import type { SocketStage } from './socket-stage.js';
import { settle, WatchedQuery } from './watched-query.js';
import type { World } from './world.js';

export interface SocketReplayOptions {
  /** Whether an answer where Postgres raises an error is wrong. Default false. */
  readonly errors?: boolean;
  /** What says whether an answer is right. */
  readonly judged?: Judge;
  /** For what is to be seen and answered. */
  readonly patienceMs?: number;
}

/** Far more than a replay takes, and little enough for one that hangs to be made smaller as well. */
const PATIENCE_MS = 10_000;
/** About as long as a first answer takes: over this time the transactions are spread that are to meet it. */
const OPENING_MS = 60;

/** Runs a case through the whole product, in its manner, or in each when it has none, until something is wrong. */
export async function replayOverSocket(
  stage: SocketStage,
  one: FuzzCase,
  options: SocketReplayOptions = {},
): Promise<Replayed> {
  let total = NOTHING;
  const manners = one.transactions.length === 0 ? MANNERS.slice(0, 1) : MANNERS;
  for (const manner of one.manner === null ? manners : [one.manner]) {
    const world = await stage.furnish(one.schema);
    try {
      const result = await inManner(stage, world, one, manner, options);
      total = {
        ...result,
        incremental: total.incremental || result.incremental,
        compared: total.compared + result.compared,
      };
    } finally {
      await world.close();
    }
    if (total.wrong !== null) break;
  }
  return total;
}

type Found = Pick<Replayed, 'wrong' | 'late'>;

async function inManner(
  stage: SocketStage,
  world: World,
  { query, rows, transactions }: FuzzCase,
  manner: Manner,
  { errors = false, judged = judge, patienceMs = PATIENCE_MS }: SocketReplayOptions,
): Promise<Replayed> {
  await world.transact(rows);
  const prepared = await world.prepare(query.sql);
  if (prepared === null) return NOTHING;
  const known = await world.allCanonical(prepared.types, query.bindings);
  await stage.publish(world, patienceMs);
  const watched = known.map(
    (binding) => new WatchedQuery(stage, { world, query, prepared, binding, errors }),
  );
  let compared = 0;
  const compare = async (after: number): Promise<Found | null> => {
    const when = `${manner}, after ${after} of ${transactions.length} transactions`;
    try {
      await settle(stage, watched, patienceMs);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'reached_timeout') throw error;
      return { wrong: `what is committed is not seen, ${when}`, late: true };
    }
    for (const { question, isRefused, isSettled, held, state } of watched) {
      if (isRefused) continue;
      compared++;
      const verdict = await judged(question, await world.ask(prepared, question.binding), held);
      if (verdict === 'slow' || (isSettled && typeof verdict !== 'object')) continue;
      const words = typeof verdict === 'object' ? verdict.wrong : `no answer within ${patienceMs} ms`;
      const wrong = `binding ${JSON.stringify(question.binding)}, ${when}, ${state}\n${words}`;
      return { wrong, late: !isSettled };
    }
    return null;
  };
  try {
    let found = manner === 'while opening' ? null : await compare(0);
    for (const [at, statements] of transactions.entries()) {
      if (found !== null) break;
      if (manner === 'while opening') await delay(OPENING_MS / transactions.length);
      await world.transact(statements);
      if (manner === 'one by one') found = await compare(at + 1);
    }
    if (manner === 'while opening' || (manner === 'at once' && transactions.length > 0))
      found ??= await compare(transactions.length);
    const incremental = watched.some(({ gear }) => gear === 'incremental');
    return { ...NOTHING, ...found, incremental, compared };
  } finally {
    for (const one of watched) one.close();
  }
}
