// @vitest-environment jsdom
import { Activity, memo, StrictMode, startTransition, useState, type ReactNode } from 'react';
import { useLiveOne } from '@sluice/react';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually, mount } from './mount.js';
import { Stage } from './stage.js';

// A hidden tree has no effects and is told of nothing; what it shows when it comes back must not be older than the rest.

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

test.each([
  ['at once', false],
  ['in a transition', true],
])('what comes back %s shows the state of the others', async (_, gently) => {
  const { client, queries } = stage.client();
  onTestFinished(() => client.close());
  await stage.database.sql('UPDATE account SET version = 0');
  const Cell = memo(function Cell({ id }: { readonly id: number }) {
    const { row } = useLiveOne(queries.account({ id }));
    return <b>{`${row?.version ?? '…'} `}</b>;
  });
  // Rendered once: React has no reason of its own to render it again.
  const hidden = <Cell id={2} />;
  let show: (on: boolean) => void = () => undefined;
  function Page(): ReactNode {
    const [on, setOn] = useState(true);
    show = (next) => (gently ? startTransition(() => setOn(next)) : setOn(next));
    return (
      <>
        <Cell id={1} />
        <Activity mode={on ? 'visible' : 'hidden'}>{hidden}</Activity>
      </>
    );
  }
  const page = mount(client, <Page />, (node) => <StrictMode>{node}</StrictMode>);
  await page.shows('0 0 ');
  const visible = (): string =>
    [...page.container.querySelectorAll('b')]
      .filter(({ style }) => style.display !== 'none')
      .map(({ textContent }) => textContent)
      .join('');
  show(false);
  await eventually(() => expect(visible()).toBe('0 '));
  await stage.database.sql('UPDATE account SET version = 1');
  await eventually(() => expect(visible()).toBe('1 '));
  const painted: string[] = [];
  let looking = true;
  const look = (): void => {
    painted.push(visible());
    if (looking) setImmediate(look);
  };
  const observer = new MutationObserver(() => painted.push(visible()));
  observer.observe(page.container, { childList: true, subtree: true, characterData: true, attributes: true });
  look();
  show(true);
  await eventually(() => expect(visible()).toBe('1 1 '));
  looking = false;
  observer.disconnect();
  expect([...new Set(painted)]).toEqual(['1 ', '1 1 ']);
});
