// @vitest-environment jsdom
import { refresh } from './refresh.js';
import { useState, type ComponentType, type ReactElement } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { SluiceProvider, useLiveQuery } from '@sluice/react';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from './mount.js';
import { Stage } from './stage.js';

// What happens around a component: a server that rendered the page before, a bundler that replaces its code.

test('a page from a server is taken over as it is, and then lives', async () => {
  const stage = await Stage.open();
  onTestFinished(() => stage.stop());
  const { client, queries } = stage.client();
  onTestFinished(() => client.close());
  function List(): ReactElement {
    const { status, rows } = useLiveQuery(queries.issuesOf({ project: 1, limit: 2 }));
    return <p>{`${status} ${rows.map(({ id }) => id).join(' ')}`}</p>;
  }
  const page = (
    <SluiceProvider client={client}>
      <List />
    </SluiceProvider>
  );
  // Even when its rows are here already, the first render is what the server's was.
  const early = client.live(queries.issuesOf({ project: 1, limit: 2 }));
  await early.ready;
  const container = document.createElement('div');
  container.innerHTML = renderToString(page);
  expect(container.textContent).toBe('loading ');
  const complaints: unknown[] = [];
  const root = hydrateRoot(container, page, { onRecoverableError: (error) => complaints.push(error) });
  onTestFinished(() => root.unmount());
  await eventually(() => expect(container.textContent).toBe('current 2 4'));
  expect(complaints).toEqual([]);
});

test('code that is replaced while it runs keeps its rows, and causes no traffic', async () => {
  const stage = await Stage.open();
  onTestFinished(() => stage.stop());
  const { client, queries, traffic } = stage.client();
  onTestFinished(() => client.close());
  const statuses: string[] = [];

  /** What a bundler makes of a module when its text has changed. `signature`: of the hooks that it calls. */
  function module(version: string, signature: string): ComponentType {
    function List(): ReactElement {
      const [count] = useState(7);
      const { status, rows } = useLiveQuery(queries.issuesOf({ project: 1, limit: 2 }));
      statuses.push(status);
      return <p>{`${version} ${count} ${rows.map(({ id }) => id).join(' ')}`}</p>;
    }
    refresh.createSignatureFunctionForTransform()(List, signature);
    refresh.register(List, 'list.tsx List');
    return List;
  }

  const container = document.createElement('div');
  const root = createRoot(container);
  onTestFinished(() => root.unmount());
  const List = module('one', 'same');
  root.render(
    <SluiceProvider client={client}>
      <List />
    </SluiceProvider>,
  );
  await eventually(() => expect(container.textContent).toBe('one 7 2 4'));
  const [hydrations, sent] = [await stage.hydrations(), traffic.sent.length];
  statuses.length = 0;

  module('two', 'same'); // the component stays
  refresh.performReactRefresh();
  await eventually(() => expect(container.textContent).toBe('two 7 2 4'));
  module('three', 'other'); // it is mounted anew
  refresh.performReactRefresh();
  await eventually(() => expect(container.textContent).toBe('three 7 2 4'));
  await stage.database.sql('DELETE FROM issue WHERE id = 2');
  await eventually(() => expect(container.textContent).toBe('three 7 4 6'));
  expect(new Set(statuses)).toEqual(new Set(['current']));
  expect([await stage.hydrations(), traffic.sent.length]).toEqual([hydrations, sent]);
});
