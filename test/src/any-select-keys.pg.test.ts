import { encodeParams } from '@sluice/client';
import { planningBench } from '@sluice/server/testing/planning';
import { expect, test } from 'vitest';
import { ANY, OWN, TOTAL } from './any-select/queries.js';
import { FILL, SCHEMA } from './any-select/schema.js';

// C16: the columns that a plan names its rows by do so, in each of a few hundred different SELECTs.

test('no two rows agree in the key that was derived', async () => {
  const bench = await planningBench(SCHEMA);
  try {
    for (const statement of FILL) await bench.database.sql(statement);
    const wrong: unknown[] = [];
    let checked = 0;
    for (const entry of [...TOTAL, ...ANY, ...OWN]) {
      const [sql, ...lists] = typeof entry === 'string' ? [entry] : entry;
      const planned = await bench.plan(sql, { tick: '1m' }).catch(() => null);
      const key = planned?.keyColumns ?? null;
      if (key === null) continue;
      for (const params of lists.length === 0 ? [[]] : lists) {
        const rows = await bench.run(sql, encodeParams(params)).then(
          (result) => result.rows,
          () => [], // an error is its answer
        );
        const keys = new Set(rows.map((row) => JSON.stringify(key.map((column) => row[column]))));
        if (keys.size < rows.length) wrong.push([sql, params, key]);
        if (rows.length > 1) checked++;
      }
    }
    expect(wrong).toEqual([]);
    expect(checked).toBeGreaterThan(100);
  } finally {
    await bench.end();
  }
});
