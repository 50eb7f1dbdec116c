// @vitest-environment jsdom
import { Profiler, useEffect, useState, startTransition, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { SluiceProvider, useLiveInfiniteQuery, useLiveOne, useLiveQuery } from '@sluice/react';
import type { Client } from '@sluice/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from './mount.js';
import { Stage } from './stage.js';

// Every commit of React is written down, with the move that each component in it shows. A component that renders
// without an effect run (memo, a bail-out) still counts: the document is read, not what was rendered.

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

interface Commit {
  /** Of what each component shows that says `current`. */
  readonly versions: readonly string[];
  readonly text: string;
}

function Shows({ status, version }: { readonly status: string; readonly version: number | undefined }) {
  return <b data-status={status}>{version ?? '…'}</b>;
}

/** Renders the page, and reads the document in each commit, before anything else can run. */
function recorded(client: Client, page: ReactNode) {
  const container = document.createElement('div');
  document.body.append(container);
  const commits: Commit[] = [];
  const read = (): void => {
    const cells = [...container.querySelectorAll('b')];
    const current = cells.filter(({ dataset }) => dataset['status'] === 'current');
    commits.push({
      versions: [...new Set(current.map(({ textContent }) => String(textContent)))],
      text: cells
        .map(({ dataset, textContent }) => `${dataset['status'] ?? ''} ${textContent ?? ''}`)
        .join(', '),
    });
  };
  const root = createRoot(container);
  root.render(
    <Profiler id="page" onRender={read}>
      <SluiceProvider client={client}>{page}</SluiceProvider>
    </Profiler>,
  );
  onTestFinished(() => root.unmount());
  return { container, commits };
}

/** Keeps React busy for a while, so that a render of low priority is cut into pieces. */
function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('components of one view and of two views never show two moves in one commit', async () => {
  const { client, queries } = stage.client({ keepMs: 50 });
  onTestFinished(() => client.close());
  await stage.database.sql('UPDATE account SET version = 0');

  /** The same view in every second one; slow enough for React to yield between two of them. */
  function Slow({ id, tick }: { readonly id: number; readonly tick: number }) {
    const { status, row } = useLiveOne(queries.account({ id }));
    busy(2);
    return <Shows status={status} version={tick < 0 ? undefined : row?.version} />;
  }
  function Joined({ id }: { readonly id: number }) {
    const { status, rows } = useLiveQuery(queries.accountByJoin({ id }));
    return <Shows status={status} version={rows[0]?.version} />;
  }
  function Pages({ id }: { readonly id: number }) {
    const list = useLiveInfiniteQuery(() => queries.account({ id }), {
      pageSize: 5,
      total: queries.accountByJoin({ id }),
    });
    return <Shows status={list.status} version={list.rows[0]?.version} />;
  }
  let turn: (tick: number) => void = () => undefined;
  function Page() {
    const [tick, setTick] = useState(0);
    turn = setTick;
    useEffect(() => undefined);
    return (
      <>
        {Array.from({ length: 12 }, (_, i) => (
          <Slow key={`${i} ${tick % 3 === 0 && i > 6 ? tick : ''}`} id={1 + ((tick + i) % 2)} tick={tick} />
        ))}
        <Joined id={1 + (tick % 4)} />
        <Pages id={1 + (tick % 4)} />
        {tick % 2 === 0 && <Joined key="comes and goes" id={2} />}
      </>
    );
  }
  const { container, commits } = recorded(client, <Page />);
  await eventually(() => expect(container.querySelectorAll('[data-status=current]')).toHaveLength(15));
  let writing = true;
  const writes = (async () => {
    while (writing) await stage.database.sql('UPDATE account SET version = version + 1');
  })();
  for (let tick = 1; tick <= 60; tick++) {
    if (tick % 7 === 0) flushSync(() => turn(tick));
    else startTransition(() => turn(tick));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  writing = false;
  await writes;
  const { rows } = await stage.database.sql('SELECT max(version) AS last FROM account');
  const { last } = rows[0] as { last: number };
  await eventually(() => {
    const cells = [...container.querySelectorAll('b')].map(({ textContent }) => Number(textContent));
    expect(new Set(cells)).toEqual(new Set([last]));
  });
  const torn = commits.filter(({ versions }) => versions.length > 1);
  expect(torn).toEqual([]);
  const several = commits.filter(({ text }) => text.split('current').length > 2);
  console.log(`${commits.length} commits, ${several.length} with several cells, ${last} transactions`);
  expect(several.length).toBeGreaterThan(50);
  // They never go back.
  const seen = commits.flatMap(({ versions }) => versions.map(Number));
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});
