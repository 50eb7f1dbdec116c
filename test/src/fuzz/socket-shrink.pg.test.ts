import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { caseText, readCase } from './fuzz-case.js';
import { judge, type Judge } from './judgement.js';
import { caseOf } from './model.js';
import { onSocketStage, shrunkCase, socketRing } from './shrunk-case.js';
import { replayOverSocket } from './socket-replay.js';
import { runSocketTrial } from './socket-trial.js';
import { Statistics } from './statistics.js';
import type { Finding } from './trial.js';

const LEFT_SQL =
  'SELECT datname AS name FROM pg_database UNION SELECT database FROM pg_replication_slots UNION SELECT datname FROM pg_stat_activity';

/** Takes every answer of two rows or more for wrong: little is needed for that, whatever it is found in. */
const picky: Judge = async (question, truth, held) => {
  const verdict = await judge(question, truth, held);
  const count = held?.length ?? 0;
  return verdict === 'equal' && count >= 2 ? { wrong: `these are ${count} rows` } : verdict;
};

test(
  'what is found over the socket is made small over the socket, and leaves nothing behind',
  async () => {
    const trial = await sharedDatabase();
    const names: string[] = [];
    const create = async (): Promise<TestDatabase> => {
      const database = await sharedDatabase();
      names.push(database.name);
      return database;
    };
    const options = { seed: 'small-1', queries: 15, transactions: 2, deadline: Infinity, judged: picky };
    const findings = await runSocketTrial(trial, options, new Statistics());
    const finding = findings.toSorted((left, right) => sizeOf(right) - sizeOf(left))[0];
    if (finding === undefined) throw new Error('none of the queries has two rows');
    const bounds = { attemptsMax: 2_000, endMs: performance.now() + 2 * PATIENCE_MS };
    const shrunk = await shrunkCase(finding, 'again', socketRing(create, { judged: picky }), bounds);
    const text = caseText(shrunk.case);

    expect(shrunk.isRepeated, text).toBe(true);
    expect(text).toContain('these are 2 rows');
    expect(text).toContain('-- socket: one by one');
    expect(shrunk.case.transactions, text).toEqual([]);
    expect(shrunk.case.query.sql.length, text).toBeLessThan(100);
    expect(text.length, text).toBeLessThan(sizeOf(finding) / 4);

    const again = readCase(text);
    await onSocketStage(create, async (stage) => {
      const disliked = await replayOverSocket(stage, again, { judged: picky });
      expect(disliked.wrong).toContain('these are 2 rows');
      const liked = await replayOverSocket(stage, again);
      expect(liked).toMatchObject({ wrong: null, compared: 1 });
      // In every manner, and with tables that are made anew in between.
      const schema = [...again.schema, 'CREATE TABLE more (id int)'];
      const transactions = [['INSERT INTO more VALUES (1)'], ['INSERT INTO more VALUES (2)']];
      const others = { ...again, manner: null, schema, transactions };
      expect(await replayOverSocket(stage, others)).toMatchObject({ wrong: null, compared: 3 + 2 + 1 });
      expect(await replayOverSocket(stage, again)).toMatchObject({ wrong: null, compared: 1 });
    });
    const { rows: left } = await trial.sql(LEFT_SQL);
    expect(names).toHaveLength(3);
    expect(left.filter(({ name }) => names.includes(String(name)))).toEqual([]);
    await trial.drop();
  },
  6 * PATIENCE_MS,
);

function sizeOf({ model }: Finding): number {
  return caseText(caseOf(model, '')).length;
}
