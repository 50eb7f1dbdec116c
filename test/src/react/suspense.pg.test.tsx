// @vitest-environment jsdom
import { StrictMode, Suspense, startTransition, useState, type ReactNode } from 'react';
import { useSuspenseLiveQuery } from '@sluice/react';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { Boundary } from './boundary.js';
import { eventually, mount } from './mount.js';
import { Stage } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

function open(options: Parameters<Stage['client']>[0] = {}) {
  const made = stage.client(options);
  onTestFinished(() => made.client.close());
  const { queries } = made;
  function List({ project, limit }: { readonly project: number; readonly limit: number }) {
    const { status, rows } = useSuspenseLiveQuery(queries.issuesOf({ project, limit }));
    return `${status} ${rows.map(({ id }) => id).join(' ')}`;
  }
  function Quotient({ id }: { readonly id: number }) {
    return `x = ${String(useSuspenseLiveQuery(queries.quotient({ id })).rows[0]?.x)}`;
  }
  return { ...made, List, Quotient };
}

test('it waits in the fallback, and follows the database after', async () => {
  const { client, List, traffic } = open();
  const before = await stage.hydrations();
  const page = mount(
    client,
    <Suspense fallback="wait">
      <List project={1} limit={2} />
    </Suspense>,
    (node) => <StrictMode>{node}</StrictMode>,
  );
  await page.shows('current 2 4');
  expect(page.seen).toEqual(['wait', 'current 2 4']);
  expect((await stage.hydrations()) - before).toBe(1);
  expect(traffic.sent.filter((text) => text.includes('subscribe'))).toHaveLength(1);
  await stage.database.sql('UPDATE issue SET rank = 1000 WHERE id = 4');
  await page.shows('current 2 6');
  await stage.database.sql('UPDATE issue SET rank = 4 WHERE id = 4');
  await page.shows('current 2 4');
});

test('without the client keeping anything it arrives as well', async () => {
  const { client, List } = open({ keepMs: 0 });
  const page = mount(
    client,
    <Suspense fallback="wait">
      <List project={1} limit={3} />
    </Suspense>,
  );
  await page.shows('current 2 4 6');
});

test('other arguments in a transition: the old screen stays', async () => {
  const { client, List } = open();
  let choose: (project: number) => void = () => undefined;
  function Choice() {
    const [project, setProject] = useState(1);
    choose = (next) => startTransition(() => setProject(next));
    return <List project={project} limit={3} />;
  }
  const page = mount(
    client,
    <Suspense fallback="wait">
      <Choice />
    </Suspense>,
  );
  await page.shows('current 2 4 6');
  choose(2);
  await page.shows('current 1 3 5');
  expect(page.seen).toEqual(['wait', 'current 2 4 6', 'current 1 3 5']);
});

test('an error goes to the error boundary; rendering it again asks again', async () => {
  const { client, Quotient } = open();
  await stage.database.sql('UPDATE issue SET rank = 0 WHERE id = 20');
  const tree = (key: number): ReactNode => (
    <Boundary key={key}>
      <Suspense fallback="wait">
        <Quotient id={20} />
      </Suspense>
    </Boundary>
  );
  const page = mount(client, tree(0));
  await page.shows('failed: statement_failed');
  await stage.database.sql('UPDATE issue SET rank = 20 WHERE id = 20');
  let attempt = 0;
  await eventually(() => {
    page.render(tree(++attempt));
    expect(page.container.textContent).toBe('x = 5');
  });
});

test('an error boundary that is reset asks again, with no other help', async () => {
  const { client, Quotient } = open({ keepMs: 0 });
  await stage.database.sql('UPDATE issue SET rank = 0 WHERE id = 40');
  const page = mount(
    client,
    <StrictMode>
      <Boundary>
        <Suspense fallback="wait">
          <Quotient id={40} />
        </Suspense>
      </Boundary>
    </StrictMode>,
  );
  await page.shows('failed: statement_failed');
  page.container.querySelector('button')?.click();
  await page.shows('failed: statement_failed');
  await stage.database.sql('UPDATE issue SET rank = 50 WHERE id = 40');
  await eventually(() => {
    page.container.querySelector('button')?.click();
    expect(page.container.textContent).toBe('x = 2');
  });
});

test('another client while it waits: the new one answers', async () => {
  const away = open({ url: 'http://127.0.0.1:9' });
  const { client, List } = open();
  const tree = (
    <Suspense fallback="wait">
      <List project={1} limit={2} />
    </Suspense>
  );
  const page = mount(away.client, tree);
  await page.shows('wait');
  page.render(tree, client);
  await page.shows('current 2 4');
  away.client.close();
  await page.shows('current 2 4');
});

test('an error beside rows is left to the component', async () => {
  const { client, Quotient } = open();
  const page = mount(
    client,
    <Boundary>
      <Suspense fallback="wait">
        <Quotient id={25} />
      </Suspense>
    </Boundary>,
  );
  await page.shows('x = 4');
  await stage.database.sql('UPDATE issue SET rank = 0 WHERE id = 25');
  await stage.database.sql('UPDATE issue SET rank = 50 WHERE id = 25');
  await page.shows('x = 2');
});

test('what the server refuses goes to the error boundary', async () => {
  const { client } = open();
  function Unknown() {
    return useSuspenseLiveQuery({ query: 'nobody' }).status;
  }
  const page = mount(
    client,
    <Boundary>
      <Suspense fallback="wait">
        <Unknown />
      </Suspense>
    </Boundary>,
  );
  await page.shows('failed: query_unknown');
  client.close();
  page.render(
    <Boundary key="2">
      <Suspense fallback="wait">
        <Unknown />
      </Suspense>
    </Boundary>,
  );
  await page.shows('failed: client_closed');
});

test('what nobody waits for any more is let go, also when there is never an answer; who waits goes on waiting', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { client, List } = open({ url: 'http://127.0.0.1:9', keepMs: 0 });
  const list = (limit: number): ReactNode => (
    <Suspense fallback="wait">
      <List key={limit} project={1} limit={limit} />
    </Suspense>
  );
  const page = mount(client, list(0));
  for (let limit = 0; limit < 20; limit++) {
    page.render(list(limit));
    await eventually(() => expect(client.liveViews).toHaveLength(limit + 1));
  }
  await page.shows('wait');
  for (let second = 0; second < 30; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.liveViews.length).toBeGreaterThan(0);
  }
  await eventually(() => expect(client.liveViews).toHaveLength(1));
  await page.shows('wait');
  page.render('elsewhere');
  await vi.advanceTimersByTimeAsync(15_000);
  expect(client.liveViews).toEqual([]);
});
