import { eventsOf, type Events } from './stream.js';
import { FollowedQuery, planOf } from './followed-query.js';
import type { FuzzCase } from './fuzz-case.js';
import { judge, type Question } from './judgement.js';
import { World } from './world.js';

/** What became of a case: what is wrong, or that nothing is; `incremental` whether blocks were asked at all. */
export interface Replayed {
  readonly wrong: string | null;
  /** What is wrong is that an answer has not come in time. */
  readonly late: boolean;
  readonly incremental: boolean;
  /** Comparisons of rows that the engine held. */
  readonly compared: number;
  /** Comparisons that only Postgres could answer. */
  readonly missed: number;
}

export const NOTHING: Replayed = { wrong: null, late: false, incremental: false, compared: 0, missed: 0 };

/**
 * Runs a case from its beginning, in a schema of its own.
 * @param url of a user who may create schemas
 * @param show is told the plan, or why there is none
 */
export async function replay(
  url: string,
  schema: string,
  { schema: statements, rows, query, transactions }: FuzzCase,
  show: (plan: unknown) => void = () => undefined,
): Promise<Replayed> {
  const world = await World.open(url, schema, statements);
  try {
    await world.transact(rows);
    const prepared = await world.prepare(query.sql);
    if (prepared === null) return NOTHING;
    const known = await world.allCanonical(prepared.types, query.bindings);
    const plan = await planOf(world, query.sql, prepared.types);
    show(plan);
    if (typeof plan === 'string' || known.length < query.bindings.length) return NOTHING;
    const followed = new FollowedQuery(world, plan, known);
    let now = await world.contents();
    await followed.load(now);
    const questions = known.map((binding): Question => ({ world, query, prepared, binding, errors: true }));
    const total = { compared: 0, missed: 0 };
    for (const transaction of [[], ...transactions]) {
      const events: Events = new Map();
      await world.transact(transaction, (statement, after) => {
        eventsOf(world.tables, statement, now, after, events);
        now = after;
      });
      if (transaction.length > 0 && events.size === 0) continue;
      if (transaction.length > 0) await followed.apply(events, now);
      for (const [at, question] of questions.entries()) {
        const held = followed.held(at);
        if (held === 'missed') {
          total.missed++;
          continue;
        }
        total.compared++;
        const verdict = await judge(question, await world.ask(prepared, question.binding), held);
        if (typeof verdict === 'object')
          return {
            ...total,
            late: false,
            incremental: true,
            wrong: `binding ${JSON.stringify(question.binding)}\n${verdict.wrong}`,
          };
      }
    }
    return { ...NOTHING, ...total, incremental: true };
  } catch (error) {
    if (
      error instanceof Error &&
      /assertion failed|is not what is held|is not a function|Cannot read|BigInt|RangeError/.test(
        `${error.message} ${error.name}`,
      )
    )
      return {
        ...NOTHING,
        incremental: true,
        wrong: `the engine fails: ${error.stack?.split('\n').slice(0, 3).join(' ') ?? error.message}`,
      };
    throw error;
  } finally {
    await world.close();
  }
}
