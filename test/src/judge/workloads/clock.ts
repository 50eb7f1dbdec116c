import { clockQuery, step, type Workload } from '../workload.js';

/*
 * Reminders that fall due while nobody writes: queries that read the clock, in a filter, an order, a window of time, a
 * count. Their answers move with the tick (and with the rows), and with nothing else.
 */
const IDS = 60;
const READS = ['reminder'];
const AT = 'SELECT at FROM reminder';

export const clock: Workload = {
  name: 'clock',
  schema: `
    CREATE TABLE reminder (id int PRIMARY KEY, at timestamptz NOT NULL, day date NOT NULL, note text);`,
  rows: () => `
    INSERT INTO reminder SELECT i, '2024-01-01'::timestamptz + i * interval '1 day', '2024-01-01'::date + i, 'old'
    FROM generate_series(1, 30) i;`,
  steps: [
    step('remind', 12, async (session, random) => {
      await session.sql(
        `INSERT INTO reminder VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond', current_date + $3::int, $4)
         ON CONFLICT (id) DO UPDATE SET at = excluded.at, day = excluded.day`,
        [
          random.between(1, IDS),
          random.between(-2000, 8000),
          random.between(-2, 2),
          random.pick(['x', null]),
        ],
      );
    }),
    step('forget a reminder', 3, async (session, random) => {
      await session.sql('DELETE FROM reminder WHERE id = $1', [random.between(1, IDS)]);
    }),
  ],
  queries: [
    clockQuery(
      'ordered',
      'clock.due',
      READS,
      AT,
      'SELECT id, at FROM reminder WHERE at <= now() ORDER BY at DESC, id LIMIT 8',
    ),
    clockQuery(
      'ordered',
      'clock.order',
      READS,
      AT,
      'SELECT id, at > now() AS ahead, note FROM reminder ORDER BY at > now() DESC, at, id LIMIT 9',
    ),
    clockQuery(
      'any order',
      'clock.window',
      READS,
      `${AT} UNION ALL SELECT at + interval '2 seconds' FROM reminder`,
      `SELECT id FROM reminder WHERE at > now() - interval '2 seconds' AND at <= now()`,
    ),
    clockQuery(
      'any order',
      'clock.count',
      READS,
      AT,
      'SELECT count(*) FILTER (WHERE at <= now()) AS due, count(*) AS everything FROM reminder',
    ),
    clockQuery(
      'ordered',
      'clock.today',
      READS,
      `SELECT day::timestamptz FROM reminder`,
      'SELECT id, day, day = current_date AS today FROM reminder WHERE day <= current_date ORDER BY day DESC, id LIMIT 8',
    ),
  ],
  always: [],
  invariants: [],
};
