// @vitest-environment jsdom
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { StrictMode, Suspense, type ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToPipeableStream } from 'react-dom/server';
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
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from './mount.js';
import { Stage } from './stage.js';

// A page that a server streams and a browser takes over. The server's client is one that could answer: it is not asked.

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

function pageOf({ client, queries }: Pick<ReturnType<Stage['client']>, 'client' | 'queries'>): ReactNode {
  function All() {
    const list = useLiveQuery(queries.issuesOf({ project: 1, limit: 2 }));
    const one = useLiveOne(queries.issue({ id: 4 }));
    const skipped = useLiveQuery(null);
    const pages = useLiveInfiniteQuery((limit) => queries.issuesOf({ project: 2, limit }), {
      pageSize: 2,
      total: queries.countOf({ project: 2 }),
    });
    useLiveView(queries.issue({ id: 4 }));
    const status = useClientStatus();
    return (
      <p title={one.row?.title}>
        {`${status} ${list.status} ${list.rows.length} ${one.status} ${skipped.status} ${pages.rows.length} of ${String(pages.total)}`}
      </p>
    );
  }
  function Waits({ project }: { readonly project: number }) {
    const { rows } = useSuspenseLiveQuery(queries.issuesOf({ project, limit: 2 }));
    return <i>{rows.map(({ id }) => id).join(' ')}</i>;
  }
  return (
    <StrictMode>
      <SluiceProvider client={client}>
        <All />
        <Suspense fallback={<i>wait</i>}>
          <Waits project={1} />
        </Suspense>
        <Suspense fallback={<i>wait</i>}>
          <section>
            <All />
          </section>
        </Suspense>
      </SluiceProvider>
    </StrictMode>
  );
}

/** The HTML, and what the server was told of: no request of it may take long, whatever a database does. */
async function streamed(page: ReactNode): Promise<{ readonly html: string; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const through = new PassThrough();
  const { pipe } = renderToPipeableStream(page, { onError: (error) => void errors.push(error) });
  pipe(through);
  return { html: await text(through), errors };
}

test('a streamed page asks for nothing, is taken over without a complaint, and lives', async () => {
  const server = stage.client();
  const page = stage.client();
  onTestFinished(() => [server, page].forEach(({ client }) => client.close()));
  await eventually(() => expect([server.client.status, page.client.status]).toEqual(['online', 'online']));
  const { html, errors } = await streamed(pageOf(server));
  expect(html).toContain('connecting loading 0 loading skipped 0 of null');
  expect(html).toContain('<i>wait</i>');
  expect(html).not.toContain('2 4');
  // What waits for an answer is left to the page, in React's own way.
  expect(errors).toEqual([expect.objectContaining({ code: 'suspended_on_server' })]);
  expect(server.client.liveViews).toEqual([]);
  expect(server.traffic.sent.filter((sent) => sent.includes('subscribe'))).toEqual([]);

  // The page knows more than its server did before it takes the HTML over.
  await page.client.live(page.queries.issuesOf({ project: 1, limit: 2 })).ready;
  const said = vi.spyOn(console, 'error');
  onTestFinished(() => said.mockRestore());
  const container = document.createElement('div');
  container.innerHTML = html;
  document.body.append(container);
  const recovered: unknown[] = [];
  const root = hydrateRoot(container, pageOf(page), {
    onRecoverableError: (error) => void recovered.push(error),
  });
  onTestFinished(() => root.unmount());
  const line = 'online current 2 current skipped 2 of 200';
  await eventually(() =>
    expect([...container.querySelectorAll('p, i')].map(({ textContent }) => textContent)).toEqual([
      line,
      '2 4',
      line,
    ]),
  );
  // React's remark on this test's being server and page in one process.
  const complaints = said.mock.calls.filter(([what]) => !String(what).includes('multiple renderers'));
  expect(complaints).toEqual([]);
  // Of the one boundary that waits, and of no text that differs.
  expect(recovered.map(String).filter((error) => !error.includes('server'))).toEqual([]);
  expect(recovered).toHaveLength(1);
  await stage.database.sql('UPDATE issue SET rank = 1000 WHERE id = 2');
  await eventually(() => expect(container.querySelector('i')?.textContent).toBe('4 6'));
  await stage.database.sql('UPDATE issue SET rank = 2 WHERE id = 2');
});

test('a server whose client has no server to connect to streams the same page', async () => {
  vi.stubGlobal('location', undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  const made = createClient<never>({ url: '/' });
  onTestFinished(() => made.client.close());
  await eventually(() => expect(made.client.status).toBe('failed'));
  const other = stage.client();
  onTestFinished(() => other.client.close());
  const { html } = await streamed(pageOf({ client: made.client, queries: other.queries }));
  expect(html).toContain('connecting loading 0 loading skipped 0 of null');
  expect(html).toContain('<i>wait</i>');
});
