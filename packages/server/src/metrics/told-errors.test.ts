import { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { expect, test } from 'vitest';
import { ForeignErrors } from './foreign-errors.js';
import { ToldErrors } from './told-errors.js';

const wrong = {
  code: 'column_unknown',
  message: 'No such column.',
  detail: '"titel"',
  hint: 'Look.',
  retry: false,
};

function logger(): { log: Logger; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done): void {
      written.push(chunk.toString());
      done();
    },
  });
  const lines = (): Record<string, unknown>[] =>
    written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: pino({ base: null, timestamp: false }, stream), lines };
}

test('an error of a query is written once a minute, with its name and remedy', () => {
  const { log, lines } = logger();
  let nowMs = 0;
  const errors = new ToldErrors(log, () => nowMs);
  errors.query('tasks', wrong);
  errors.query('tasks', wrong);
  errors.query('tasks', { ...wrong, code: 'query_args_invalid' });
  expect(lines()).toEqual([
    {
      level: 40,
      event: 'query_error',
      code: 'column_unknown',
      query: 'tasks',
      detail: '"titel"',
      hint: 'Look.',
      msg: 'No such column.',
    },
    expect.objectContaining({ code: 'query_args_invalid' }),
  ]);
  nowMs = 60_000;
  errors.query('tasks', wrong);
  expect(lines()).toHaveLength(3);
});

test('clients cannot fill the log, nor put their own SQL in it', () => {
  const { log, lines } = logger();
  const errors = new ToldErrors(log, () => 0);
  errors.query(null, wrong);
  expect(lines()).toEqual([expect.not.objectContaining({ detail: '"titel"' })]);
  for (let n = 0; n < 1_000; n++) errors.query(`made up ${n} ${'x'.repeat(1_000)}`, wrong);
  expect(lines()).toHaveLength(100);
  expect(JSON.stringify(lines()).length).toBeLessThan(50_000);
});

test('a refused connection is written with its detail, an unknown token as what it is: usual', () => {
  const { log, lines } = logger();
  const errors = new ToldErrors(log, () => 0);
  errors.connection({ ...wrong, code: 'origin_not_allowed', detail: 'https://app.example' });
  errors.connection({ ...wrong, code: 'unauthorized' });
  expect(lines()).toMatchObject([
    { level: 40, event: 'connection_refused', code: 'origin_not_allowed', detail: 'https://app.example' },
    { level: 30, event: 'connection_refused', code: 'unauthorized' },
  ]);
});

test('the hook is given what was thrown, the log only its class and where; a hook that throws does no harm', () => {
  const { log, lines } = logger();
  const given: unknown[] = [];
  const thrown = new TypeError('secret');
  const hook = (...both: unknown[]): void => {
    given.push(both);
    throw new Error('secret of the hook');
  };
  new ForeignErrors(log, hook).failed(thrown, { function: 'query', query: 'tasks' });
  expect(given).toEqual([[thrown, { function: 'query', query: 'tasks' }]]);
  expect(lines()).toMatchObject([
    { event: 'query_function_failed', query: 'tasks', error: { class: 'TypeError' } },
    { event: 'on_error_failed' },
  ]);
  expect(JSON.stringify(lines())).not.toContain('secret');
  new ForeignErrors(log, undefined).failed(thrown, { function: 'auth' });
  expect(lines()[2]).toMatchObject({
    event: 'auth_function_failed',
    hint: expect.stringContaining('onError') as string,
  });
});
