import type { SeenView } from '../judge.js';
import { query, step, type Workload } from '../workload.js';

/*
 * Random transfers between accounts: the total never changes, so the sum over two queries must be the same in every
 * move that a client ever sees. The idea is `jamii/streaming-consistency`'s.
 */
const ACCOUNTS = 40;
const OPENING = 100;
const TOTAL_CENTS = BigInt(ACCOUNTS * OPENING * 100);
const TRANSFERS_KEPT = 300;

export const accounts: Workload = {
  name: 'accounts',
  schema: `
    CREATE TABLE account (id int PRIMARY KEY, branch int NOT NULL, balance numeric(12,2) NOT NULL, note text);
    CREATE TABLE transfer (id bigserial PRIMARY KEY, from_id int NOT NULL, to_id int NOT NULL,
                           amount numeric(12,2) NOT NULL, memo text);
    CREATE INDEX ON transfer (from_id);`,
  rows: () => `INSERT INTO account SELECT i, i % 3, ${OPENING}, NULL FROM generate_series(1, ${ACCOUNTS}) i;`,
  steps: [
    step('transfer', 30, async (session, random) => {
      const from = random.between(1, ACCOUNTS);
      const to = 1 + ((from + random.int(ACCOUNTS - 1)) % ACCOUNTS);
      const amount = (random.between(1, 4000) / 100).toFixed(2);
      const both = await session.sql('SELECT FROM account WHERE id IN ($1, $2) ORDER BY id FOR UPDATE', [
        from,
        to,
      ]);
      if (both.length < 2) return;
      await session.sql('UPDATE account SET balance = balance - $2 WHERE id = $1', [from, amount]);
      await session.sql('UPDATE account SET balance = balance + $2 WHERE id = $1', [to, amount]);
      await session.sql('INSERT INTO transfer (from_id, to_id, amount) VALUES ($1, $2, $3)', [
        from,
        to,
        amount,
      ]);
    }),
    step('move an account between branches', 6, async (session, random) => {
      await session.sql('UPDATE account SET branch = $2 WHERE id = $1', [
        random.between(1, ACCOUNTS),
        random.int(3),
      ]);
    }),
    step('close an account into another', 3, async (session, random) => {
      const from = random.between(1, ACCOUNTS);
      const to = 1 + ((from + random.int(ACCOUNTS - 1)) % ACCOUNTS);
      const closed = await session.sql('DELETE FROM account WHERE id = $1 RETURNING balance', [from]);
      const balance = closed[0]?.['balance'];
      if (balance === undefined) return;
      await session.sql(
        `INSERT INTO account AS a VALUES ($1, $2, $3, NULL)
         ON CONFLICT (id) DO UPDATE SET balance = a.balance + excluded.balance`,
        [to, random.int(3), balance],
      );
    }),
    step('renumber an account', 2, async (session, random) => {
      const [from, to] = [random.between(1, ACCOUNTS), random.between(1, ACCOUNTS)];
      await session.sql(
        'UPDATE account SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM account WHERE id = $2)',
        [from, to],
      );
    }),
    step('forget old transfers', 2, async (session) => {
      await session.sql(`DELETE FROM transfer WHERE id < (SELECT max(id) FROM transfer) - ${TRANSFERS_KEPT}`);
    }),
  ],
  queries: [
    query(
      'incremental',
      'any order',
      'accounts.low',
      ['account'],
      'SELECT id, balance FROM account WHERE branch = 0',
    ),
    query(
      'incremental',
      'ordered',
      'accounts.high',
      ['account'],
      'SELECT id, balance FROM account WHERE NOT (branch = 0) ORDER BY id',
    ),
    query(
      'rerun',
      'any order',
      'accounts.sum_high',
      ['account'],
      'SELECT coalesce(sum(balance), 0) AS sum FROM account WHERE branch <> 0',
    ),
    query('rerun', 'any order', 'accounts.total', ['account'], 'SELECT sum(balance) AS total FROM account'),
    query(
      'rerun',
      'ordered',
      'accounts.by_branch',
      ['account'],
      'SELECT branch, count(*) AS n, sum(balance) AS sum FROM account GROUP BY branch ORDER BY branch',
    ),
    query(
      'incremental',
      'ordered',
      'accounts.richest',
      ['account'],
      'SELECT id, balance, branch FROM account WHERE balance > $1 ORDER BY balance DESC, id LIMIT 5',
      (random) => [String(random.pick([0, 90, 150]))],
    ),
    query(
      'incremental',
      'ordered',
      'accounts.last_transfers',
      ['transfer'],
      'SELECT id, from_id, to_id, amount FROM transfer ORDER BY id DESC LIMIT 10',
    ),
    query(
      'rerun',
      'ordered',
      'accounts.statement',
      ['account', 'transfer'],
      `SELECT t.id, t.amount, f.branch AS from_branch, g.branch AS to_branch FROM transfer t
       LEFT JOIN account f ON f.id = t.from_id LEFT JOIN account g ON g.id = t.to_id
       WHERE t.from_id = $1 OR t.to_id = $1 ORDER BY t.id DESC LIMIT 15`,
      (random) => [String(random.between(1, 6))],
    ),
  ],
  always: ['accounts.low', 'accounts.high', 'accounts.sum_high', 'accounts.total'],
  invariants: [
    { name: 'low + high', check: (views) => constant(views, 'accounts.low', 1, 'accounts.high', 1) },
    { name: 'low + sum_high', check: (views) => constant(views, 'accounts.low', 1, 'accounts.sum_high', 0) },
    { name: 'total', check: (views) => constant(views, 'accounts.total', 0, null, 0) },
  ],
};

function constant(
  views: readonly SeenView[],
  first: string,
  firstColumn: number,
  second: string | null,
  secondColumn: number,
): string | null {
  const a = sumOf(views, first, firstColumn);
  const b = second === null ? 0n : sumOf(views, second, secondColumn);
  if (a === null || b === null || a + b === TOTAL_CENTS) return null;
  return `the sum is ${a + b} cents, not ${TOTAL_CENTS}: ${first} ${a}, ${second ?? ''} ${b}`;
}

function sumOf(views: readonly SeenView[], id: string, column: number): bigint | null {
  const view = views.find(({ bound }) => bound.query.id === id);
  if (!view || view.answer.kind === 'error') return null;
  return view.answer.rows.reduce((sum, row) => sum + cents(row[column] ?? '0'), 0n);
}

/** `-12.50` to -1250. */
function cents(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  const sign = text.startsWith('-') ? -1n : 1n;
  return sign * (BigInt(whole.replace('-', '')) * 100n + BigInt(fraction.padEnd(2, '0').slice(0, 2)));
}
