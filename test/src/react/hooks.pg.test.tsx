// @vitest-environment jsdom
import { memo, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  useClient,
  useClientStatus,
  useLiveOne,
  useLiveQuery,
  useLiveView,
  type LiveResult,
} from '@sluice/react';
import type { LiveView } from '@sluice/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Boundary } from './boundary.js';
import { eventually, mount } from './mount.js';
import { rowsOnTheWire, Stage, type Issue, type Traffic } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

function open(options: Parameters<Stage['client']>[0] = {}): ReturnType<Stage['client']> {
  const made = stage.client(options);
  onTestFinished(() => made.client.close());
  return made;
}

/** What a list shows, and what every render of it was. */
function lister({ queries }: ReturnType<Stage['client']>) {
  const renders: string[] = [];
  function List({ project = 1, limit = 3 }: { readonly project?: number; readonly limit?: number }) {
    const { status, rows } = useLiveQuery(queries.issuesOf({ project, limit }));
    renders.push(`${status} ${rows.map(({ id }) => id).join(' ')}`);
    return <p>{`${status} ${rows.map(({ id }) => id).join(' ')}`}</p>;
  }
  return { List, renders };
}

/** Moves that something came before, or that change how a view stands: a component could notice each of them. */
function movesOf({ messages }: Traffic): number {
  return messages.filter((message, i) => {
    if (message.kind !== 'move') return false;
    const { current, behind, errors } = message;
    return (
      Boolean(current ?? behind ?? errors) ||
      ['rows', 'delta', 'difference'].includes(messages[i - 1]?.kind ?? '')
    );
  }).length;
}

test('a component shows the rows, and renders the rows that changed', async () => {
  const { client, queries } = open();
  const renders: number[] = [];
  const Row = memo(function Row({ issue }: { readonly issue: Issue }) {
    renders.push(issue.id);
    return <i>{`${issue.title};`}</i>;
  });
  function List() {
    const { status, rows, error } = useLiveQuery(queries.issuesOf({ project: 1, limit: 3 }));
    if (status === 'loading' || error) return <p>{status}</p>;
    return rows.map((issue) => <Row key={issue.id} issue={issue} />);
  }
  const page = mount(client, <List />);
  await page.shows('issue 2;issue 4;issue 6;');
  await stage.database.sql(`UPDATE issue SET title = 'new' WHERE id = 4`);
  await page.shows('issue 2;new;issue 6;');
  expect(renders).toEqual([2, 4, 6, 4]);
  expect(page.commits).toBe(3);
  await stage.database.sql(`UPDATE issue SET title = 'issue 4' WHERE id = 4`);
  await page.shows('issue 2;issue 4;issue 6;');
});

test('one move is one commit, however many components show what it changed', async () => {
  const { client, queries, traffic } = open();
  const sums = new Set<number>();
  function Account({ id, joined }: { readonly id: number; readonly joined: boolean }) {
    const plain = useLiveOne(queries.account({ id }));
    const other = useLiveOne(queries.accountByJoin({ id }));
    if (plain.status === 'loading' || other.status === 'loading') return <b>…</b>;
    return <b>{`${String((joined ? other : plain).row?.balance)} `}</b>;
  }
  function Total() {
    const rows = [1, 2, 3, 4].map((id) => useLiveOne(queries.account({ id })).row);
    const sum = rows.reduce((all, row) => all + (row?.balance ?? Number.NaN), 0);
    if (!Number.isNaN(sum)) sums.add(sum);
    return null;
  }
  const page = mount(
    client,
    <>
      <Total />
      {[1, 2, 3, 4].map((id) => (
        <Account key={id} id={id} joined={id > 2} />
      ))}
    </>,
  );
  await page.shows('100 100 100 100 ');
  const [before, moves] = [page.commits, movesOf(traffic)];
  for (let round = 1; round <= 20; round++) {
    await stage.database.sql(
      `UPDATE account SET balance = balance + CASE WHEN id IN (1, 3) THEN 1 ELSE -1 END`,
    );
    const [up, down] = [100 + round, 100 - round];
    await page.shows(`${up} ${down} ${up} ${down} `);
  }
  // Of 8 live views and 12 hooks. Twenty, unless a busy machine let a view fall behind.
  expect(page.commits - before).toBe(movesOf(traffic) - moves);
  expect([...sums]).toEqual([400]);
  await stage.database.sql('UPDATE account SET balance = 100');
  await page.shows('100 100 100 100 ');
});

test('StrictMode hydrates once, and asks once', async () => {
  const made = open();
  const { List, renders } = lister(made);
  const before = await stage.hydrations();
  const page = mount(made.client, <List project={2} limit={4} />, (node) => <StrictMode>{node}</StrictMode>);
  await page.shows('current 1 3 5 7');
  expect((await stage.hydrations()) - before).toBe(1);
  expect(made.traffic.sent.filter((text) => text.includes('subscribe'))).toHaveLength(1);
  expect(new Set(renders)).toEqual(new Set(['loading ', 'current 1 3 5 7']));
});

test('back-navigation shows the rows at once and costs nothing', async () => {
  const made = open();
  const { List, renders } = lister(made);
  const page = mount(made.client, <List limit={5} />);
  await page.shows('current 2 4 6 8 10');
  page.render(<p>elsewhere</p>);
  await page.shows('elsewhere');
  // Kept, it goes on following the database.
  await stage.database.sql('UPDATE issue SET rank = 1000 WHERE id = 2');
  await eventually(() => {
    const kinds = made.traffic.messages.map(({ kind }) => kind);
    expect(kinds.slice(kinds.indexOf('delta'))).toEqual(expect.arrayContaining(['delta', 'move']));
  });
  const [hydrations, sent] = [await stage.hydrations(), made.traffic.sent.length];
  renders.length = 0;
  page.render(<List limit={5} />);
  await page.shows('current 4 6 8 10 12');
  expect(renders).toEqual(['current 4 6 8 10 12']);
  expect([await stage.hydrations(), made.traffic.sent.length]).toEqual([hydrations, sent]);
  await stage.database.sql('UPDATE issue SET rank = 2 WHERE id = 2');
  await page.shows('current 2 4 6 8 10');
});

test('other arguments: the old rows stay, switching; what was shown before is there at once', async () => {
  const made = open();
  const { List, renders } = lister(made);
  const page = mount(made.client, <List project={1} />);
  await page.shows('current 2 4 6');
  page.render(<List project={2} />);
  await page.shows('current 1 3 5');
  const hydrations = await stage.hydrations();
  page.render(<List project={1} />);
  await page.shows('current 2 4 6');
  expect(renders).toEqual(['loading ', 'current 2 4 6', 'switching 2 4 6', 'current 1 3 5', 'current 2 4 6']);
  expect(await stage.hydrations()).toBe(hydrations);
});

test('a growing limit hydrates once, sends the new rows alone, and keeps the others as they are', async () => {
  const made = open();
  const { queries, traffic } = made;
  let last: LiveResult<Issue> | null = null;
  function List({ limit }: { readonly limit: number }) {
    const result = useLiveQuery(queries.issuesOf({ project: 2, limit }));
    last = result;
    return `${result.status} ${result.rows.length}`;
  }
  const page = mount(made.client, <List limit={50} />);
  await page.shows('current 50');
  const first = (last as LiveResult<Issue> | null)?.rows;
  const [hydrations, rows] = [await stage.hydrations(), rowsOnTheWire(traffic)];
  page.render(<List limit={100} />);
  await page.shows('current 100');
  expect((await stage.hydrations()) - hydrations).toBe(1);
  expect(rowsOnTheWire(traffic) - rows).toBe(50);
  expect((last as LiveResult<Issue> | null)?.rows.slice(0, 50).every((row, i) => row === first?.[i])).toBe(
    true,
  );
});

test('arguments that change faster than answers come: the last ones are shown, the others are let go', async () => {
  const made = open({ keepMs: 60_000 });
  const { List, renders } = lister(made);
  const page = mount(made.client, <List limit={1} />);
  await page.shows('current 2');
  for (let limit = 11; limit <= 20; limit++) {
    page.render(<List limit={limit} />);
    await eventually(() =>
      expect(made.traffic.sent.filter((text) => text.includes('"limit":')).at(-1)).toContain(
        `"limit":${limit}`,
      ),
    );
  }
  await eventually(() =>
    expect(renders.at(-1)).toBe(`current ${Array.from({ length: 20 }, (_, i) => 2 * i + 2).join(' ')}`),
  );
  expect(renders).toContain('switching 2');
  const kinds = made.traffic.sent.map((text) => (JSON.parse(text) as { kind: string }).kind);
  const asked = kinds.filter((kind) => kind === 'subscribe').length;
  const ended = kinds.filter((kind) => kind === 'unsubscribe').length;
  expect(asked).toBe(11);
  expect(ended).toBeGreaterThan(0);
});

test('a query that is skipped asks for nothing', async () => {
  const { client, queries, traffic } = open();
  function One({ id }: { readonly id: number | null }) {
    const list = useLiveQuery(id === null ? 'skip' : queries.issue({ id }));
    const one = useLiveOne(id === null ? null : queries.issue({ id }));
    return `${list.status} ${list.rows.length} ${one.status} ${one.row?.title ?? 'none'}`;
  }
  const page = mount(client, <One id={null} />);
  await page.shows('skipped 0 skipped none');
  expect(traffic.sent.filter((text) => text.includes('subscribe'))).toEqual([]);
  page.render(<One id={8} />);
  await page.shows('current 1 current issue 8');
  page.render(<One id={null} />);
  await page.shows('skipped 0 skipped none');
  page.render(<One id={-1} />);
  await page.shows('current 0 current none');
});

test('an error is the result of its query alone, and passes with its data', async () => {
  const { client, queries } = open();
  function Quotient({ id }: { readonly id: number }) {
    const { status, row, error } = useLiveOne(queries.quotient({ id }));
    return <i>{`${status} ${String(row?.x)} ${error?.detail ?? ''};`}</i>;
  }
  function Unknown() {
    const { status, error } = useLiveQuery({ query: 'nobody' });
    return <i>{`${status} ${error?.code ?? ''};`}</i>;
  }
  const page = mount(
    client,
    <>
      <Quotient id={10} />
      <Unknown />
    </>,
  );
  await page.shows('current 10 ;error query_unknown;');
  await stage.database.sql('UPDATE issue SET rank = 0 WHERE id = 10');
  await page.shows('error 10 SQLSTATE 22012;error query_unknown;');
  await stage.database.sql('UPDATE issue SET rank = 10 WHERE id = 10');
  await page.shows('current 10 ;error query_unknown;');
});

test('arguments that cannot be sent are an error that goes with them', async () => {
  const { client, queries } = open();
  function One({ id }: { readonly id: unknown }) {
    const { status, error, rows } = useLiveQuery(queries.issue({ id: id as number }));
    return `${status} ${error?.code ?? rows.length}`;
  }
  const page = mount(client, <One id={5n} />);
  await page.shows('error args_invalid');
  page.render(<One id={5} />);
  await page.shows('current 1');
  page.render(<One id={6n} />);
  await page.shows('error args_invalid');
});

test('without a provider, and with a client that is closed', async () => {
  const { client, queries } = open();
  function One({ id }: { readonly id: number }) {
    const { status, error, rows } = useLiveQuery(queries.issue({ id }));
    return `${status} ${error?.code ?? ''} ${rows.length} ${useClientStatus()}`;
  }
  const page = mount(client, <One id={12} />);
  await page.shows('current  1 online');
  client.close();
  await page.shows('error client_closed 1 closed');
  page.render(<One key="another" id={12} />);
  await page.shows('error client_closed 0 closed');

  const container = document.createElement('div');
  const root = createRoot(container);
  root.render(
    <Boundary>
      <One id={1} />
    </Boundary>,
  );
  await eventually(() => expect(container.textContent).toBe('failed: provider_missing'));
  root.unmount();
});

test('another client: nothing of the old one is shown', async () => {
  const [one, other] = [open(), open()];
  const { List, renders } = lister(one);
  const page = mount(one.client, <List />);
  await page.shows('current 2 4 6');
  const seen = renders.length;
  page.render(<List />, other.client);
  await eventually(() => expect(renders.slice(seen)).toEqual(['loading ', 'current 2 4 6']));
  one.client.close();
  await stage.database.sql(`UPDATE issue SET rank = 1000 WHERE id = 6`);
  await page.shows('current 2 4 8');
  await stage.database.sql(`UPDATE issue SET rank = 6 WHERE id = 6`);
});

test('a live view beside it tells position, gear and keys', async () => {
  const { client, queries } = open();
  let live: LiveView<Issue> | null = null;
  function One() {
    const ref = queries.issue({ id: 14 });
    const { rows } = useLiveQuery(ref);
    live = useLiveView(ref);
    expect(useClient()).toBe(client);
    return rows[0]?.title ?? '';
  }
  const page = mount(client, <One />);
  await page.shows('issue 14');
  const { gear, position, rows, keyOf } = live as unknown as LiveView<Issue>;
  expect([gear, position, rows.length, typeof keyOf]).toEqual([
    'incremental',
    client.position,
    1,
    'function',
  ]);
});

test('components come and go while rows change', async () => {
  const made = open();
  const { List } = lister(made);
  let show: (on: boolean) => void = () => undefined;
  function Toggle() {
    const [on, setOn] = useState(true);
    show = setOn;
    return on ? <List /> : 'off';
  }
  const page = mount(made.client, <Toggle />);
  await page.shows('current 2 4 6');
  const hydrations = await stage.hydrations();
  for (let i = 0; i < 20; i++) {
    show(false);
    await page.shows('off');
    await stage.database.sql('UPDATE issue SET rank = $1 WHERE id = 2', [i % 2 === 0 ? 5 : 2]);
    show(true);
    await page.shows(i % 2 === 0 ? 'current 4 2 6' : 'current 2 4 6');
  }
  expect(await stage.hydrations()).toBe(hydrations);
});
