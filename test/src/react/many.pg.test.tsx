// @vitest-environment jsdom
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memo, StrictMode, Suspense, useDeferredValue, useState, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import {
  useClientStatus,
  useLiveInfiniteQuery,
  useLiveOne,
  useLiveQuery,
  useSuspenseLiveQuery,
} from '@sluice/react';
import type { Client } from '@sluice/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually, mount } from './mount.js';
import { Stage, type Comment, type Issue, type Traffic } from './stage.js';

// Many of everything: components, rows, keystrokes, lives and deaths.

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.database.sql(
    `INSERT INTO issue SELECT i, 9, 'issue ' || i, i FROM generate_series(1001, 2000) i`,
  );
});
afterAll(() => stage?.stop());

function open(options: Parameters<Stage['client']>[0] = {}): ReturnType<Stage['client']> {
  const made = stage.client(options);
  onTestFinished(() => made.client.close());
  return made;
}

const count = ({ sent }: Traffic, kind: string): number =>
  sent.filter((text) => (JSON.parse(text) as { kind: string }).kind === kind).length;

test('five hundred components of one query: one subscription, and one commit for a change', async () => {
  const { client, queries, traffic } = open();
  function One() {
    // An object of its own at every render.
    const { row } = useLiveOne(queries.issue({ id: 30 }));
    return <i>{row?.title ?? '…'}</i>;
  }
  const page = mount(
    client,
    Array.from({ length: 500 }, (_, i) => <One key={i} />),
  );
  await page.shows('issue 30'.repeat(500));
  const { commits } = page;
  await stage.database.sql(`UPDATE issue SET title = 'new' WHERE id = 30`);
  await page.shows('new'.repeat(500));
  expect(page.commits - commits).toBe(1);
  expect(count(traffic, 'subscribe')).toBe(1);
  await stage.database.sql(`UPDATE issue SET title = 'issue 30' WHERE id = 30`);
});

test('of a thousand children in one row, the one that comes, changes or goes is rendered, and no other', async () => {
  const insert = `INSERT INTO comment SELECT i, 40, 'comment ' || i FROM generate_series(1, 1000) i`;
  await stage.database.sql(insert);
  const { client, queries } = open();
  const renders: number[] = [];
  const Said = memo(function Said({ comment }: { readonly comment: Comment }) {
    renders.push(comment.id);
    return <i>{comment.body}</i>;
  });
  function Thread() {
    const { row } = useLiveOne(queries.thread({ id: 40 }));
    return row?.comments.map((comment) => <Said key={comment.id} comment={comment} />);
  }
  const page = mount(client, <Thread />);
  const texts = (): (string | null)[] => [...page.container.children].map((child) => child.textContent);
  await eventually(() => expect(texts().length).toBe(1000));
  renders.length = 0;
  // The newest stands first: all others move.
  await stage.database.sql(`INSERT INTO comment VALUES (1001, 40, 'newest')`);
  await eventually(() => expect(texts().slice(0, 2)).toEqual(['newest', 'comment 1000']));
  expect(renders.splice(0)).toEqual([1001]);
  await stage.database.sql(`UPDATE comment SET body = 'changed' WHERE id = 500`);
  await eventually(() => expect(texts()[501]).toBe('changed'));
  expect(renders.splice(0)).toEqual([500]);
  await stage.database.sql(`DELETE FROM comment WHERE id = 700`);
  await eventually(() => expect(texts().length).toBe(1000));
  expect(renders).toEqual([]);
});

test('of a thousand rows that remember what they showed, the one that changed is rendered, once', async () => {
  const { client, queries } = open();
  const rendered: number[] = [];
  const Row = memo(function Row({ issue }: { readonly issue: Issue }) {
    rendered.push(issue.id);
    return <i>{issue.title}</i>;
  });
  function List() {
    const { rows } = useLiveQuery(queries.issuesOf({ project: 9, limit: 1000 }));
    return rows.map((issue) => <Row key={issue.id} issue={issue} />);
  }
  const page = mount(client, <List />);
  await eventually(() => expect(page.container.children).toHaveLength(1000));
  rendered.length = 0;
  await stage.database.sql(`UPDATE issue SET title = 'new' WHERE id = 1500`);
  await eventually(() => expect(page.container.textContent).toContain('new'));
  expect(rendered).toEqual([1500]);
  await stage.database.sql('UPDATE issue SET rank = 0 WHERE id = 1999');
  await eventually(() => expect(page.container.firstChild?.textContent).toBe('issue 1999'));
  expect(rendered).toEqual([1500, 1999]);
  await stage.database.sql('UPDATE issue SET rank = id WHERE project_id = 9');
});

test('arguments that change with every keystroke: the last ones are shown, and nothing else is held', async () => {
  const { client, queries, traffic } = open({ keepMs: 0 });
  let type: (limit: number) => void = () => undefined;
  const seen: string[] = [];
  function Search() {
    const [limit, setLimit] = useState(1);
    type = setLimit;
    const deferred = useDeferredValue(limit);
    const direct = useLiveQuery(queries.issuesOf({ project: 1, limit }));
    const later = useLiveQuery(queries.issuesOf({ project: 2, limit: deferred }));
    const text = `${direct.status} ${direct.rows.length} ${later.status} ${later.rows.length}`;
    seen.push(text);
    return text;
  }
  const page = mount(client, <Search />, (node) => <StrictMode>{node}</StrictMode>);
  await page.shows('current 1 current 1');
  for (let limit = 2; limit <= 150; limit++) {
    flushSync(() => type(limit));
    if (limit % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  await page.shows('current 150 current 150');
  // After the first answer something is shown all the time.
  expect(seen.slice(seen.indexOf('current 1 current 1')).filter((text) => text.includes('loading'))).toEqual(
    [],
  );
  await eventually(() => expect(count(traffic, 'subscribe') - count(traffic, 'unsubscribe')).toBe(2));
  expect(client.liveViews).toHaveLength(2);
});

test('more components than a client takes listeners may show its status', async () => {
  const { client } = open({ listenersMax: 10 });
  function Status() {
    return useClientStatus();
  }
  const page = mount(
    client,
    Array.from({ length: 50 }, (_, i) => <Status key={i} />),
  );
  await page.shows('online'.repeat(50));
  client.close();
  await page.shows('closed'.repeat(50));
});

/** A page of every hook, mounted and unmounted. */
async function liveAndDie(client: Client, child: (n: number) => ReactNode, times: number): Promise<void> {
  let show: (n: number | null) => void = () => undefined;
  function Page() {
    const [n, setN] = useState<number | null>(null);
    show = setN;
    return n === null ? 'gone' : child(n);
  }
  const page = mount(client, <Page />);
  await page.shows('gone');
  for (let n = 0; n < times; n++) {
    flushSync(() => show(n));
    if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    flushSync(() => show(null));
  }
  page.unmount();
}

test('ten thousand lives leave nothing behind', async () => {
  const { client, queries, traffic } = open({ keepMs: 0 });
  const List = ({ n }: { readonly n: number }): ReactNode =>
    useLiveQuery(queries.issuesOf({ project: 1 + (n % 7), limit: 3 })).status;
  const Pages = ({ n }: { readonly n: number }): ReactNode => {
    const total = queries.countOf({ project: n % 5 });
    return useLiveInfiniteQuery((limit) => queries.issuesOf({ project: n % 5, limit }), {
      pageSize: 2,
      total,
    }).status;
  };
  const Waits = ({ n }: { readonly n: number }): ReactNode =>
    useSuspenseLiveQuery(queries.issue({ id: n % 10 })).status;
  const child = (n: number): ReactNode => (
    <Suspense fallback="…">
      <List n={n} />
      {n % 10 === 0 && <Pages n={n} />}
      {n % 100 === 0 && <Waits n={n} />}
    </Suspense>
  );
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await liveAndDie(client, child, 1_000);
  traffic.sent.length = traffic.messages.length = 0;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 9; round++) {
    await liveAndDie(client, child, 1_000);
    traffic.sent.length = traffic.messages.length = 0;
  }
  // A component that never came to be mounted: what it waited for is let go after a while.
  await eventually(() => expect(client.liveViews).toEqual([]));
  collect();
  const grownBytes = process.memoryUsage().heapUsed - before;
  console.log(`${grownBytes} bytes more after 9,000 further lives`);
  expect(grownBytes).toBeLessThan(3_000_000);
}, 120_000);
