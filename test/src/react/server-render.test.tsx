import { Suspense } from 'react';
import { renderToString } from 'react-dom/server';
import { createClient } from '@sluice/client';
import {
  SluiceProvider,
  useClientStatus,
  useLiveInfiniteQuery,
  useLiveOne,
  useLiveQuery,
  useLiveView,
  useSuspenseLiveQuery,
} from '@sluice/react';
import { expect, test } from 'vitest';

// There is no window here, and no server that would answer.

const { client } = createClient({ url: 'http://127.0.0.1:9' });
const ref = { query: 'all' };

function Page() {
  const list = useLiveQuery(ref);
  const one = useLiveOne(ref);
  const skipped = useLiveQuery(null);
  const pages = useLiveInfiniteQuery(() => ref, { pageSize: 5, total: ref });
  const words = [list.status, one.status, skipped.status, pages.status, useClientStatus()];
  return `${words.join(' ')} ${String(useLiveView(ref))} ${pages.rows.length}`;
}

function Suspended() {
  return useSuspenseLiveQuery(ref).status;
}

test('a page that is rendered on a server shows what loads', () => {
  const html = renderToString(
    <SluiceProvider client={client}>
      <Page />
    </SluiceProvider>,
  );
  expect(html).toBe('loading loading skipped loading connecting null 0');
});

test('one that suspends shows its fallback', () => {
  const html = renderToString(
    <SluiceProvider client={client}>
      <Suspense fallback="wait">
        <Suspended />
      </Suspense>
    </SluiceProvider>,
  );
  expect(html).toContain('wait');
  client.close();
});
