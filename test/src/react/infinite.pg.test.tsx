// @vitest-environment jsdom
import { useLiveInfiniteQuery, type LiveInfiniteResult } from '@sluice/react';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Boundary } from './boundary.js';
import { eventually, mount, type Mounted } from './mount.js';
import { rowsOnTheWire, Stage, type Issue, type Traffic } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

type Result = LiveInfiniteResult<Issue>;

interface Opened {
  readonly page: Mounted;
  readonly traffic: Traffic;
  readonly results: readonly Result[];
  last(): Result;
  show(project: number): void;
}

function open({ total }: { readonly total: boolean }): Opened {
  const { client, queries, traffic } = stage.client();
  onTestFinished(() => client.close());
  const results: Result[] = [];
  function List({ project }: { readonly project: number }) {
    const result = useLiveInfiniteQuery((limit) => queries.issuesOf({ project, limit }), {
      pageSize: 50,
      ...(total ? { total: queries.countOf({ project }) } : {}),
    });
    results.push(result);
    return `${result.status} ${result.rows.length} of ${String(result.total)}${result.hasMore ? ' +' : ''}`;
  }
  const page = mount(client, <List project={1} />);
  const last = (): Result => results.at(-1) ?? expect.fail('nothing was rendered');
  return { page, traffic, results, last, show: (project) => page.render(<List project={project} />) };
}

test('a further page costs one hydration and its own rows', async () => {
  const { page, traffic, results, last } = open({ total: true });
  await page.shows('current 50 of 200 +');
  const first = last().rows;
  const [hydrations, rows] = [await stage.hydrations(), rowsOnTheWire(traffic)];
  last().loadMore();
  await page.shows('current 100 of 200 +');
  expect((await stage.hydrations()) - hydrations).toBe(1);
  expect(rowsOnTheWire(traffic) - rows).toBe(50);
  expect(
    last()
      .rows.slice(0, 50)
      .every((row, i) => row === first[i]),
  ).toBe(true);
  const shown = results.map(({ status, rows, total }) => `${status} ${rows.length} ${String(total)}`);
  expect([...new Set(shown)]).toEqual([
    'loading 0 null',
    'current 50 200',
    'switching 50 200',
    'current 100 200',
  ]);

  last().loadMore();
  last().loadMore();
  await page.shows('current 150 of 200 +');
  last().loadMore();
  await page.shows('current 200 of 200');
  last().loadMore();
  await stage.database.sql('DELETE FROM issue WHERE id = 2');
  await page.shows('current 199 of 199');
  await stage.database.sql(`INSERT INTO issue VALUES (2, 1, 'issue 2', 2)`);
  await page.shows('current 200 of 200');
  // What the smaller windows held is let go: the list and its total are all that is subscribed.
  const count = (kind: string): number =>
    traffic.sent.filter((text) => (JSON.parse(text) as { kind: string }).kind === kind).length;
  await eventually(() => expect(count('subscribe') - count('unsubscribe')).toBe(2));
});

test('rows and total change in one move', async () => {
  const { page, results } = open({ total: true });
  await page.shows('current 50 of 200 +');
  await stage.database.sql('DELETE FROM issue WHERE project_id = 1 AND id > 80');
  await page.shows('current 40 of 40');
  await stage.database.sql(
    `INSERT INTO issue SELECT i, 1 + i % 2, 'issue ' || i, i FROM generate_series(82, 400, 2) i`,
  );
  await page.shows('current 50 of 200 +');
  // A total that takes longer than the rows may wait for is behind, and says so.
  const shown = results.filter(({ status }) => status === 'current');
  const pairs = shown.map(({ rows, total }) => `${rows.length} ${String(total)}`);
  expect([...new Set(pairs)]).toEqual(['50 200', '40 40']);
});

test('another filter begins with one page, and with its own total', async () => {
  await stage.database.sql('UPDATE issue SET project_id = 3 WHERE id IN (1, 3, 5)');
  const { page, results, last, show } = open({ total: true });
  await page.shows('current 50 of 200 +');
  last().loadMore();
  await page.shows('current 100 of 200 +');
  show(3);
  await page.shows('current 3 of 3');
  show(1);
  await page.shows('current 50 of 200 +');
  const shown = results.map(({ status, rows, total }) => `${status} ${rows.length} ${String(total)}`);
  const known = [
    'loading 0 null',
    'current 50 200',
    'switching 50 200',
    'current 100 200',
    'switching 100 200',
    'current 3 3',
    'switching 3 3',
  ];
  expect(shown.filter((one) => !known.includes(one))).toEqual([]);
  expect(shown).toContain('switching 100 200');
  await stage.database.sql('UPDATE issue SET project_id = 2 WHERE id IN (1, 3, 5)');
});

test('without a total it asks for one row more, and so knows whether there is one', async () => {
  await stage.database.sql('UPDATE issue SET project_id = 4 WHERE id <= 100 AND project_id = 1');
  const { page, traffic, last, show } = open({ total: false });
  await page.shows('current 50 of null +');
  show(4);
  await page.shows('current 50 of null');
  await stage.database.sql('UPDATE issue SET project_id = 4 WHERE id = 102');
  await page.shows('current 50 of null +');
  const rows = rowsOnTheWire(traffic);
  last().loadMore();
  await page.shows('current 51 of null');
  expect(rowsOnTheWire(traffic) - rows).toBe(0);
  await stage.database.sql('UPDATE issue SET project_id = 1 WHERE project_id = 4');
});

test('a total that is no number is said so', async () => {
  const { client, queries } = stage.client();
  onTestFinished(() => client.close());
  function List() {
    const total = { query: 'issuesOf', args: { project: 1, limit: 0 } };
    return useLiveInfiniteQuery((limit) => queries.issuesOf({ project: 1, limit }), { pageSize: 5, total })
      .status;
  }
  const page = mount(
    client,
    <Boundary>
      <List />
    </Boundary>,
  );
  await page.shows('failed: total_malformed');
});
