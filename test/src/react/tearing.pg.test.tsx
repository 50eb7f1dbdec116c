// @vitest-environment jsdom
import fc from 'fast-check';
import { Profiler, StrictMode, startTransition, Suspense, useState, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import {
  SluiceProvider,
  useLiveInfiniteQuery,
  useLiveOne,
  useLiveQuery,
  useSuspenseLiveQuery,
} from '@sluice/react';
import type { LiveOne } from '@sluice/react';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './mount.js';
import { Stage, type Account } from './stage.js';

// P2 on the screen: components come, go and change what they show while transactions run that count up a version in
// every account. Whatever React commits, all that is shown is of one version.

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.stop());

const HOWS = ['plain', 'joined', 'suspended', 'paged'] as const;

interface Slot {
  readonly how: (typeof HOWS)[number];
  readonly id: number;
}

type Shown = Pick<LiveOne<Account>, 'status' | 'row'>;

function Cell({ status, row, plain = false }: Shown & { readonly plain?: boolean }) {
  return (
    <b data-status={status} data-plain={plain}>
      {row === null ? '' : `${row.version} ${row.balance}`}
    </b>
  );
}

type Queries = ReturnType<Stage['client']>['queries'];

function components(queries: Queries) {
  return {
    plain: ({ id }: { readonly id: number }) => <Cell plain {...useLiveOne(queries.account({ id }))} />,
    joined: ({ id }: { readonly id: number }) => {
      const { status, rows } = useLiveQuery(queries.accountByJoin({ id }));
      return <Cell status={status} row={rows[0] ?? null} />;
    },
    suspended: ({ id }: { readonly id: number }) => {
      const { status, rows } = useSuspenseLiveQuery(queries.account({ id }));
      return <Cell status={status} row={rows[0] ?? null} />;
    },
    paged: ({ id }: { readonly id: number }) => {
      const { status, rows } = useLiveInfiniteQuery(() => queries.accountByJoin({ id }), {
        pageSize: 2,
        total: queries.account({ id }),
      });
      return <Cell status={status} row={rows[0] ?? null} />;
    },
  };
}

const step = fc.tuple(
  fc.constantFrom('write', 'write', 'show', 'show', 'hide', 'pause'),
  fc.nat(5),
  fc.record({ how: fc.constantFrom(...HOWS), id: fc.integer({ min: 1, max: 4 }) }),
  fc.boolean(),
);

test('whatever React commits shows one state of the database', async () => {
  let commits = 0;
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
      fc.boolean(),
      async (steps, strict) => {
        const { client, queries } = stage.client({ keepMs: 200 });
        const made = components(queries);
        const torn: string[] = [];
        let change: (slot: number, to: Slot | null) => void = () => undefined;
        function Page() {
          const [slots, setSlots] = useState<readonly (Slot | null)[]>(
            HOWS.map((how, i) => ({ how, id: i + 1 })),
          );
          change = (at, to) =>
            setSlots((old) => Array.from({ length: 6 }, (_, i) => (i === at ? to : (old[i] ?? null))));
          return slots.map((slot, i) => {
            if (slot === null) return null;
            const Shown = made[slot.how];
            // One key for each how: other ids are other arguments of the same component.
            return (
              <Suspense key={`${i} ${slot.how}`} fallback="…">
                <Shown id={slot.id} />
              </Suspense>
            );
          });
        }
        const container = document.createElement('div');
        const look = (): void => {
          commits++;
          // While it is switching, a result that was re-run may be behind as well.
          const cells = [...container.querySelectorAll('b')].filter(
            ({ dataset, style }) =>
              style.display !== 'none' &&
              (dataset['status'] === 'current' ||
                (dataset['status'] === 'switching' && dataset['plain'] === 'true')),
          );
          const versions = new Set(cells.map((cell) => cell.textContent?.split(' ')[0]));
          if (cells.length > 1) compared++;
          if (versions.size > 1)
            torn.push(cells.map((cell) => `${cell.dataset['status']} ${cell.textContent}`).join(', '));
        };
        const root = createRoot(container);
        const page: ReactNode = (
          <Profiler id="page" onRender={look}>
            <SluiceProvider client={client}>
              <Page />
            </SluiceProvider>
          </Profiler>
        );
        root.render(strict ? <StrictMode>{page}</StrictMode> : page);
        await eventually(() => expect(container.querySelectorAll('[data-status=current]')).toHaveLength(4));
        const writes: Promise<unknown>[] = [];
        for (const [kind, at, slot, gently] of steps) {
          if (kind === 'write') {
            const [from, to] = [slot.id, (slot.id % 4) + 1];
            writes.push(
              stage.database.sql(
                `UPDATE account SET version = version + 1, balance = balance + CASE id WHEN ${from} THEN -1 WHEN ${to} THEN 1 ELSE 0 END`,
              ),
            );
          } else if (kind === 'pause') {
            await writes.at(-1);
            await new Promise((resolve) => setTimeout(resolve, 4 * at));
          } else {
            const act = (): void => change(at, kind === 'show' ? slot : null);
            if (gently) startTransition(act);
            else act();
            await Promise.resolve();
          }
        }
        await Promise.all(writes);
        const { rows } = await stage.database.sql('SELECT version FROM account WHERE id = 1');
        const { version } = rows[0] as { version: number };
        await eventually(() => {
          const cells = [...container.querySelectorAll('b')];
          expect(cells.map((cell) => `${cell.dataset['status']} ${cell.textContent?.split(' ')[0]}`)).toEqual(
            cells.map(() => `current ${version}`),
          );
        });
        root.unmount();
        client.close();
        expect(torn).toEqual([]);
      },
    ),
    {
      numRuns: Number(process.env['SLUICE_RUNS'] ?? 30),
      endOnFailure: true,
      seed: Number(process.env['SLUICE_SEED'] ?? Date.now() % 2 ** 31),
    },
  );
  console.log(`${commits} commits, ${compared} with several cells`);
  expect(compared).toBeGreaterThan(100);
});
