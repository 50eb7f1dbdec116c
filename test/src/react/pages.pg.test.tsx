// @vitest-environment jsdom
import { startTransition, StrictMode, useState, type ReactNode } from 'react';
import { useLiveInfiniteQuery, type LiveInfiniteResult } from '@sluice/react';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../kit/tcp-proxy.js';
import { eventually, mount } from './mount.js';
import { Stage, type Issue } from './stage.js';

// Lists that grow while the database does not hold still.

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());
beforeEach(() =>
  stage.database.sql(`TRUNCATE issue;
    INSERT INTO issue SELECT i, 1, 'issue ' || i, i FROM generate_series(1, 50) i`),
);

type Result = LiveInfiniteResult<Issue>;

interface Props {
  readonly project?: number;
  readonly pageSize?: number;
  readonly total?: 'fast' | 'slow' | 'none';
}

function open(options: Parameters<Stage['client']>[0] = {}) {
  const { client, queries, traffic } = stage.client(options);
  onTestFinished(() => client.close());
  const results: Result[] = [];
  function List({ project = 1, pageSize = 10, total = 'fast' }: Props): ReactNode {
    const result = useLiveInfiniteQuery((limit) => queries.issuesOf({ project, limit }), {
      pageSize,
      total:
        total === 'none'
          ? null
          : total === 'fast'
            ? queries.countOf({ project })
            : queries.slowCountOf({ project }),
    });
    results.push(result);
    return textOf(result);
  }
  const last = (): Result => results.at(-1) ?? expect.fail('nothing was rendered');
  return { client, queries, traffic, List, results, last };
}

function textOf({ status, rows, total, hasMore }: Result): string {
  return `${status} ${rows.length} of ${String(total)}${hasMore ? ' +' : ''}`;
}

test.each(['fast', 'none'] as const)(
  'at the end of a page there is no more; one row later there is (%s)',
  async (total) => {
    const { client, List, last } = open();
    const of = (n: number): string => (total === 'fast' ? String(n) : 'null');
    const page = mount(client, <List pageSize={25} total={total} />);
    await page.shows(`current 25 of ${of(50)} +`);
    last().loadMore();
    await page.shows(`current 50 of ${of(50)}`);
    last().loadMore();
    await stage.database.sql(`INSERT INTO issue VALUES (51, 1, 'one more', 51)`);
    await page.shows(`current 50 of ${of(51)} +`);
    last().loadMore();
    await page.shows(`current 51 of ${of(51)}`);
    await stage.database.sql('DELETE FROM issue WHERE id > 25');
    await page.shows(`current 25 of ${of(25)}`);
    await stage.database.sql('DELETE FROM issue');
    await page.shows(`current 0 of ${of(0)}`);
  },
);

test('pages are loaded while rows are inserted above them', async () => {
  const { client, List, results, last } = open();
  const page = mount(client, <List />, (node) => <StrictMode>{node}</StrictMode>);
  await page.shows('current 10 of 50 +');
  let inserting = true;
  const inserts = (async () => {
    for (let id = 1001; inserting; id++)
      await stage.database.sql(`INSERT INTO issue VALUES ($1, 1, 'above', -$1::int)`, [id]);
  })();
  while (last().rows.length < 50) {
    const { length } = last().rows;
    last().loadMore();
    await eventually(() => expect(last().rows.length).toBeGreaterThan(length));
  }
  inserting = false;
  await inserts;
  const { rows } = await stage.database.sql('SELECT count(*)::int AS n FROM issue');
  const { n } = rows[0] as { n: number };
  await eventually(() => expect([last().status, last().total]).toEqual(['current', n]));
  for (const { rows: shown, status, total, hasMore } of results) {
    const ranks = shown.map(({ rank }) => rank);
    expect(ranks).toEqual([...new Set(ranks)].toSorted((a, b) => a - b));
    if (status !== 'current') continue;
    expect(shown.length % 10).toBe(0);
    expect(hasMore).toBe(shown.length < Number(total));
  }
  // Never fewer rows for a moment than before.
  const lengths = results.map(({ rows: shown }) => shown.length);
  expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
});

test('another page size, and other arguments while a page is on its way: the list begins again', async () => {
  await stage.database.sql(`INSERT INTO issue SELECT i, 2, 'other', i FROM generate_series(101, 130) i`);
  const { client, List, results, last, traffic } = open();
  let change: (props: Props) => void = () => undefined;
  function Page(): ReactNode {
    const [props, setProps] = useState<Props>({});
    change = setProps;
    return <List {...props} />;
  }
  const page = mount(client, <Page />);
  await page.shows('current 10 of 50 +');
  last().loadMore();
  await page.shows('current 20 of 50 +');
  change({ pageSize: 15 });
  await page.shows('current 15 of 50 +');
  last().loadMore();
  last().loadMore();
  change({ project: 2, pageSize: 15 });
  await page.shows('current 15 of 30 +');
  last().loadMore();
  await page.shows('current 30 of 30');
  last().loadMore();
  startTransition(() => change({ project: 3, pageSize: 15 }));
  await page.shows('current 0 of 0');
  // What was shown is of one project at a time, and its total with it.
  const pairs = results
    .filter(({ status }) => status === 'current')
    .map(({ rows, total }) => `${rows[0]?.title.split(' ')[0] ?? ''} ${String(total)}`);
  expect([...new Set(pairs)]).toEqual(['issue 50', 'other 30', ' 0']);
  const count = (kind: string): number =>
    traffic.sent.filter((text) => (JSON.parse(text) as { kind: string }).kind === kind).length;
  // Two are shown; what was shown of the other projects, or of the other page size, is kept for a while.
  await eventually(() => expect(count('subscribe') - count('unsubscribe')).toBeLessThanOrEqual(2 + 2 + 3));
});

test('a total that is slower than the rows: the rows do not wait, and say that they are not of one moment', async () => {
  const { client, List, results, last } = open();
  const page = mount(client, <List total="slow" pageSize={20} />);
  await page.shows('current 20 of 50 +');
  await stage.database.sql('DELETE FROM issue WHERE id > 12');
  await eventually(() => expect(textOf(last())).toBe('current 12 of 12'));
  await stage.database.sql(`INSERT INTO issue SELECT i, 1, 'again', i FROM generate_series(13, 60) i`);
  await eventually(() => expect(textOf(last())).toBe('current 20 of 60 +'));
  // 12 of 50: that there is no more the rows themselves say. 20 of 12: whether there is more the total will say.
  const shown = new Set(results.map(textOf));
  expect(shown).toContain('behind 12 of 50');
  expect(shown).toContain('behind 20 of 12');
  expect(shown).not.toContain('behind 12 of 50 +');
  expect([...shown].filter((text) => text.startsWith('current'))).toEqual([
    'current 20 of 50 +',
    'current 12 of 12',
    'current 20 of 60 +',
  ]);
  const apart = results.filter(({ status }) => status === 'behind');
  expect(apart.every((result) => result.status === 'behind' && result.position !== client.position)).toBe(
    true,
  );
});

test('two lists that ask for the same rows with limits of their own do not render each other', async () => {
  const { client, List, results } = open();
  const page = mount(
    client,
    <>
      <List pageSize={10} total="fast" />
      <List pageSize={9} total="none" />
    </>,
  );
  await page.shows('current 10 of 50 +current 9 of null +');
  const before = results.length;
  await stage.database.sql(`UPDATE issue SET title = 'new' WHERE id = 3`);
  await eventually(() => expect(results.at(-1)?.rows[2]?.title).toBe('new'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(results.length - before).toBe(2);
});

test('offline the rows stay, stale; a page that is asked for comes with the connection', async () => {
  let isUp = true;
  const { hostname: host, port } = new URL(stage.url);
  const proxy = await TcpProxy.listen(() => (isUp ? { host, port: Number(port) } : null));
  onTestFinished(() => proxy.close());
  const backoff = { firstMs: 10, maxMs: 20 };
  const { client, List, last } = open({ url: `http://127.0.0.1:${proxy.port}`, backoff });
  const page = mount(client, <List />);
  await page.shows('current 10 of 50 +');
  isUp = false;
  proxy.cut();
  await page.shows('stale 10 of 50 +');
  await stage.database.sql('DELETE FROM issue WHERE id = 1');
  last().loadMore();
  await page.shows('switching 10 of 50 +');
  isUp = true;
  await page.shows('current 20 of 49 +');
  expect(last().rows[0]?.id).toBe(2);
});
