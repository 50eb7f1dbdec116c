import type { TestDatabase } from '@sluice/server/testing/postgres';
import { MANNERS, type FuzzCase, type Manner } from './fuzz-case.js';
import { caseOf, type Model } from './model.js';
import { NOTHING, replay, type Replayed } from './replay.js';
import { shrink, type ShrinkBounds } from './shrink.js';
import { replayOverSocket, type SocketReplayOptions } from './socket-replay.js';
import { SocketStage } from './socket-stage.js';
import type { Finding } from './trial.js';

/** @throws when it is no case: Postgres does not take its schema */
export type Replaying = (one: FuzzCase) => Promise<Pick<Replayed, 'wrong' | 'late'>>;

/** Where a finding is replayed. */
export interface Ring {
  /** Ways to replay it, of which one that shows it is kept to. */
  readonly manners: readonly (Manner | null)[];
  /** How often a finding is replayed that does not repeat; so often as it took is each attempt to make it smaller. */
  readonly triesMax: number;
  /** Does the work on ground that is fresh, and leaves nothing behind. */
  within<T>(work: (replaying: Replaying) => Promise<T>): Promise<T>;
}

/** The engine in this process. @param url of a user who may create schemas */
export function engineRing(url: string, schema: string): Ring {
  let replays = 0;
  const replaying: Replaying = (one) => replay(url, `${schema}_${++replays}`, one);
  return { manners: [null], triesMax: 1, within: (work) => work(replaying) };
}

/** The whole product: one server and one database for all replays of a work. */
export function socketRing(create: () => Promise<TestDatabase>, options: SocketReplayOptions): Ring {
  return {
    manners: MANNERS,
    triesMax: 3,
    within: (work) => onSocketStage(create, (stage) => work((one) => replayOverSocket(stage, one, options))),
  };
}

/** On a database of its own, which goes with it. */
export async function onSocketStage<T>(
  create: () => Promise<TestDatabase>,
  work: (stage: SocketStage) => Promise<T>,
): Promise<T> {
  const database = await create();
  try {
    const stage = await SocketStage.open(database);
    return await work(stage).finally(() => stage.close());
  } finally {
    await database.drop();
  }
}

/** A finding as a case. */
export interface ShrunkCase {
  readonly case: FuzzCase;
  readonly attempts: number;
  /** Otherwise its words say what was done. */
  readonly isRepeated: boolean;
}

/**
 * Makes a finding as small as it gets in that time; one that does not repeat is left as it is, and says so.
 * @param again the command that finds it
 */
export async function shrunkCase(
  finding: Finding,
  again: string,
  ring: Ring,
  bounds: ShrinkBounds,
): Promise<ShrunkCase> {
  const told = (model: Model, words: string, manner: Manner | null = null): FuzzCase =>
    caseOf(model, `found by ${again}\n${words}`, manner);
  let attempts = 0;
  /** What is wrong in the same way, within so many replays. */
  const failure = async (replaying: Replaying, one: Failing, tries: number): Promise<string | null> => {
    for (let left = tries; left > 0; left--) {
      attempts++;
      // It throws when there is no schema any more.
      const { wrong, late } = await replaying(caseOf(one.model, '', one.manner)).catch(() => NOTHING);
      if (wrong !== null && late === finding.late) return wrong;
    }
    return null;
  };
  const small = await ring.within(async (replaying) => {
    const isOver = (): boolean => performance.now() >= bounds.endMs;
    for (let tries = 1; tries <= ring.triesMax && (tries === 1 || !isOver()); tries++)
      for (const manner of ring.manners) {
        if ((await failure(replaying, { model: finding.model, manner }, 1)) === null) continue;
        const stillFails = async (model: Model): Promise<boolean> =>
          (await failure(replaying, { model, manner }, tries)) !== null;
        return { model: await shrink(finding.model, stillFails, bounds), manner };
      }
    return null;
  });
  if (small === null) {
    const words = `NOT REPEATED in ${attempts} replays, and not made smaller: ${finding.wrong}`;
    return { case: told(finding.model, words), attempts, isRepeated: false };
  }
  const wrong = await ring.within((replaying) => failure(replaying, small, ring.triesMax));
  const words = wrong ?? `NOT REPEATED on fresh ground after it was made smaller: ${finding.wrong}`;
  return { case: told(small.model, words, small.manner), attempts, isRepeated: wrong !== null };
}

interface Failing {
  readonly model: Model;
  readonly manner: Manner | null;
}
