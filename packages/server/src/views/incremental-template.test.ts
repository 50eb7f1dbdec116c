import { asLsn, type Lsn } from '@sluice/core/lsn';
import { PLAN_VERSION, type TablePlan } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import { expect, test } from 'vitest';
import type { Change, Relation, Transaction, Tuple } from '../source/transaction.js';
import { IncrementalTemplate } from './incremental-template.js';
import { tablePlanned } from '../testing/plans.js';
import { noRun, QUIET, UNPLANNED } from '../testing/quiet-template.js';
import { TableGear } from './table-gear.js';
import type { Entry } from './port.js';
import { Publications } from './publications.js';
import { View } from './view.js';

// Catching up (C8, C9), with the orders of reading and streaming that hurt made by hand: the fetch says what it read,
// what its snapshot did not see, and when.

const INT = { kind: 'int' } as const;
const plan: TablePlan = {
  kind: 'table',
  version: PLAN_VERSION,
  chunks: [],
  table: 1,
  columns: [
    { name: 'id', type: INT },
    { name: 'project', type: INT },
    { name: 'body', type: { kind: 'text', ordered: false } },
  ],
  where: { op: 'eq', left: { column: 1 }, right: { param: 0 }, type: INT },
  project: [0, 2],
  order: [{ column: 0, descending: false, nullsFirst: false }],
  key: [0],
  limit: { param: 1 },
  offset: null,
};
const relation: Relation = {
  oid: 1,
  schema: 'public',
  name: 'issue',
  replicaIdentity: 'default',
  columns: ['id', 'project', 'body'].map((name) => ({
    name,
    typeOid: 25,
    typeModifier: -1,
    identity: name === 'id',
  })),
};
const tuple = (...values: (PgText | undefined)[]): Tuple => ({
  length: values.length,
  text: (column) => values[column],
});
const update = (...values: (PgText | undefined)[]): Change => ({
  kind: 'update',
  relation,
  identity: 'none',
  old: null,
  new: tuple(...values),
});
const remove = (id: string): Change => ({
  kind: 'delete',
  relation,
  identity: 'key',
  old: tuple(id, null, null),
});

interface Read {
  readonly rows: (readonly PgText[])[];
  readonly unseen?: readonly Transaction[];
  readonly chain?: number;
}

/** A template whose fetches give what the test says, one after the other. */
function scripted(reads: Read[]): {
  entries: Entry[];
  template: IncrementalTemplate;
  view: View;
  counts: number[];
  settled: Promise<void>;
} {
  const entries: Entry[] = [];
  const counts: number[] = [];
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const publications = new Publications((entry) => {
    entries.push(entry);
    settle();
  });
  const view = new View('v', { columns: [], ordered: true }, UNPLANNED, publications);
  let read: Read | undefined;
  const gear = new TableGear({
    plan,
    types: {},
    rowsPerViewMax: 1000,
    hydrate: (_run, _bindings, wanted) => {
      counts.push(...wanted);
      return Promise.resolve([read?.rows.slice(0, wanted[0]) ?? []]);
    },
  });
  const template = new IncrementalTemplate({
    ...QUIET,
    publications,
    planned: tablePlanned(plan),
    gear,
    rowsPerViewMax: 1000,
    fetch: async (through) => {
      read = reads.shift();
      if (read === undefined) throw new Error('one fetch more than expected');
      const { unseen = [], chain = 0 } = read;
      return {
        result: await through(noRun),
        snapshot: { xmin: 1n, xmax: 1n, xip: new Set() },
        upper: asLsn(1n),
        chain,
        unseen: () => unseen,
        seen: () => [],
        end: () => undefined,
      };
    },
    now: () => ({ epoch: 'e', lsn: asLsn(100n) }),
  });
  return { entries, template, view, counts, settled };
}

function transaction(changes: Change[], bulk: Transaction['bulk'] = new Map()): Transaction {
  return { xid: 7, lsn: asLsn(90n), previous: asLsn(80n), changes, bulk, messages: [], bytes: 0 };
}

async function firstRows(
  reads: Read[],
  limit: string | null = null,
): Promise<{ rows: unknown; counts: number[]; at: Lsn | null }> {
  const { entries, template, view, counts, settled } = scripted(reads);
  template.open(view, ['5', limit]);
  await settled;
  const [entry] = entries;
  if (entry?.kind !== 'rows') throw new Error(`unexpected ${entry?.kind}`);
  const { rows } = JSON.parse(Buffer.from(entry.message).toString()) as { rows: [string, unknown][] };
  return { rows: rows.map(([, row]) => row), counts, at: entry.at };
}

const read = [
  ['1', '5', 'a'],
  ['2', '5', 'b'],
  ['3', '5', 'c'],
];

test('C8: a row that was deleted, or left the key, after the read is no ghost, though only its key or new image came', async () => {
  const unseen = [transaction([remove('1'), update('2', '6', 'b')])];
  expect(await firstRows([{ rows: read, unseen }])).toMatchObject({ rows: [['3', 'c']], at: 100n });
});

test('C8: rows that came, or moved into the key, after the read are there; a value not sent is the fetched one', async () => {
  const insert: Change = { kind: 'insert', relation, new: tuple('0', '5', 'new') };
  const unseen = [transaction([insert, update('9', '5', 'moved in'), update('3', '5', undefined)])];
  expect((await firstRows([{ rows: read, unseen }])).rows).toEqual([
    ['0', 'new'],
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
    ['9', 'moved in'],
  ]);
});

test('C8: a row that moves in with a value that was not sent is a miss, and read again', async () => {
  const unseen = [transaction([update('9', '5', undefined)])];
  const again = [...read, ['9', '5', 'long']];
  expect((await firstRows([{ rows: read, unseen }, { rows: again }])).rows).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
    ['9', 'long'],
  ]);
});

test('C9: changes of rows that are not held, and do not match, change nothing', async () => {
  const unseen = [transaction([remove('77'), update('78', '6', undefined)])];
  expect((await firstRows([{ rows: read, unseen }])).rows).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ]);
});

test('a fetch is void, and made again, when too much changed meanwhile or the chain broke', async () => {
  const bulk = [transaction([], new Map([[1, relation]]))];
  const reads = [{ rows: read, unseen: bulk }, { rows: read, chain: 1 }, { rows: [['4', '5', 'd']] }];
  expect(await firstRows(reads)).toMatchObject({ rows: [['4', 'd']] });
  expect(reads).toEqual([]);
});

test('a window that ran dry while it was caught up is read again, further', async () => {
  const many = Array.from({ length: 40 }, (_, n): PgText[] => [String(n + 10), '5', 'x']);
  const unseen = [transaction(many.slice(0, 12).map((row) => remove(row[0] ?? '')))];
  const { rows, counts } = await firstRows([{ rows: many, unseen }, { rows: many.slice(12) }], '2');
  expect(rows).toEqual([
    ['22', 'x'],
    ['23', 'x'],
  ]);
  expect(counts).toHaveLength(2);
  expect(counts[1]).toBeGreaterThan(counts[0] ?? 0);
});

test('C11: a binding that missed is not known to hold until it is covered', async () => {
  const again = [...read, ['9', '5', 'long']];
  const { entries, template, view, settled } = scripted([{ rows: read }, { rows: again }]);
  template.open(view, ['5', null]);
  await settled;
  const missing = transaction([update('9', '5', undefined)]);
  template.apply(missing, new Map([[1, { changes: missing.changes, unknown: false }]]), {
    epoch: 'e',
    lsn: missing.lsn,
  });
  expect(entries.map(({ kind }) => kind)).toEqual(['rows', 'gap']);
  expect(entries[1]).toMatchObject({ through: missing.previous });
  await expect.poll(() => entries.map(({ kind }) => kind)).toEqual(['rows', 'gap', 'delta']);
});
