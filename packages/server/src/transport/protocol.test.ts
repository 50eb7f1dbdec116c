import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { digest } from '@sluice/core/digest';
import { editRow } from '@sluice/core/edit';
import { rowDecoder } from '@sluice/core/row-decoder';
import type { Explanation, Observed } from '@sluice/core/explanation';
import type { FieldKind } from '@sluice/core/shape';
import type { Row } from '@sluice/core/value';
import {
  CLOSE,
  PROTOCOL_VERSION,
  type ClientMessage,
  type ColumnEdit,
  type ServerMessage,
} from '@sluice/core/wire';
import { expect, test } from 'vitest';
import { readFields } from '../resolving/read-fields.js';
import { SESSION_LIMITS } from '../sessions/limits.js';
import { TRANSPORT_LIMITS } from './limits.js';
import { parseObject, readLooseParams, readMessage, readQuery, type JsonObject } from './read-message.js';

const root = new URL('../../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const page = read('docs/protocol.md');

/** The message types without comments and layout: what a client could notice. */
function fingerprint(): string {
  const text = ['packages/core/src/wire.ts', 'packages/core/src/shape.ts'].map(read).join('\n');
  const bare = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/[\s;,]+/g, ' ');
  return createHash('sha256').update(bare).digest('hex').slice(0, 16);
}

test('a change of the messages is written down, under a version', () => {
  const last = page.trimEnd().split('\n').at(-1);
  expect(
    last,
    `docs/protocol.md, History: the message types now have the fingerprint ${fingerprint()}`,
  ).toMatch(new RegExp(`^\\| ${PROTOCOL_VERSION} \\| \`${fingerprint()}\` \\| .+ \\|$`));
});

const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => parseObject(match[1] ?? ''));

/** Every member of every message that the server sends; the compiler keeps it complete. */
const SERVER_MEMBERS: {
  readonly [K in ServerMessage['kind']]: Readonly<Record<keyof Extract<ServerMessage, { kind: K }>, true>>;
} = {
  hello: { kind: true, version: true, seed: true, pingMs: true },
  subscribed: {
    kind: true,
    id: true,
    view: true,
    chain: true,
    shared: true,
    shape: true,
    gear: true,
    reason: true,
  },
  rows: { kind: true, view: true, at: true, rows: true },
  delta: { kind: true, view: true, from: true, to: true, ops: true },
  difference: { kind: true, view: true, at: true, of: true, buckets: true, rows: true, order: true },
  move: {
    kind: true,
    position: true,
    current: true,
    behind: true,
    errors: true,
    reached: true,
    replaced: true,
  },
  gear: { kind: true, optional: true, view: true, gear: true, reason: true },
  error: { kind: true, id: true, reach: true, error: true },
  goaway: { kind: true, afterMs: true },
  pong: { kind: true, id: true },
};
const CLIENT_KINDS: Readonly<Record<ClientMessage['kind'], true>> = {
  hello: true,
  auth: true,
  subscribe: true,
  unsubscribe: true,
  reach: true,
  ping: true,
};

const isServers = (example: JsonObject): boolean =>
  String(example['kind']) in SERVER_MEMBERS && !('versions' in example);

test('every message of the client has an example, and the server takes it whole', () => {
  const clients = examples.filter((example) => 'kind' in example && !isServers(example));
  for (const example of clients) expect(readMessage(example)).toEqual(example);
  expect(new Set(clients.map((example) => example['kind']))).toEqual(new Set(Object.keys(CLIENT_KINDS)));
});

test('every message of the server has an example with members that it has', () => {
  const servers = examples.filter(isServers);
  const shown = new Map<string, Set<string>>();
  for (const example of servers) {
    const kind = example['kind'] as ServerMessage['kind'];
    for (const member of Object.keys(example)) {
      expect(Object.keys(SERVER_MEMBERS[kind])).toContain(member);
      shown.set(kind, (shown.get(kind) ?? new Set()).add(member));
    }
  }
  for (const [kind, members] of Object.entries(SERVER_MEMBERS)) {
    for (const member of Object.keys(members)) {
      const described = shown.get(kind)?.has(member) === true || page.includes(`\`${member}\``);
      expect(described, `${kind}.${member}`).toBe(true);
    }
  }
});

test('the example of fields makes the object that the page shows, of every kind that there is', () => {
  const fields = readFields(JSON.parse(/```json fields\n([\s\S]*?)```/.exec(page)?.[1] ?? '')) ?? {
    columns: [],
  };
  const columns = fields.columns.map(() => ({ name: '', type: 'text', decoder: 'text' as const }));
  const shown = /The row `(\[.+\])` becomes/.exec(page)?.[1] ?? '';
  const decode = rowDecoder({ columns, ordered: false, fields }, 'decoded');
  expect(decode(JSON.parse(shown) as string[])).toEqual({
    id: 1,
    author: { name: 'Ada', joined: new Date('2024-02-29T00:00:00Z') },
    comments: [{ id: 7, at: new Date('2024-03-01T10:00:00Z') }],
  });
  expect(decode(['1', null, null, '[]'])).toEqual({ id: 1, author: null, comments: [] });
  const kinds: Readonly<Record<FieldKind, true>> = {
    number: true,
    whole: true,
    string: true,
    date: true,
    plain: true,
    numbers: true,
  };
  const described = [...page.matchAll(/^\| `(\w+)` \| /gm)].map((match) => match[1]);
  expect(described).toEqual(expect.arrayContaining(Object.keys(kinds)));
});

test('the edits of the example make the row that the page shows', () => {
  const { before, columns, after } = JSON.parse(/```json edits\n([\s\S]*?)```/.exec(page)?.[1] ?? '') as {
    readonly before: Row;
    readonly columns: readonly ColumnEdit[];
    readonly after: Row;
  };
  expect(editRow(before, columns)).toEqual(after);
  expect(after).not.toEqual(before);
});

test('the explanation of the example has all members, and each is described', () => {
  const explanation: Readonly<Record<keyof Explanation, true>> = {
    gear: true,
    reason: true,
    remedy: true,
    template: true,
    parameters: true,
    columns: true,
    reads: true,
    readsAnything: true,
    readsClock: true,
    key: true,
    ordered: true,
    hints: true,
    chunks: true,
    lookups: true,
    tree: true,
    estimate: true,
    observed: true,
  };
  const observed: Readonly<Record<keyof Observed, true>> = {
    views: true,
    rerunViews: true,
    handedOver: true,
    changes: true,
    transactions: true,
    misses: true,
    unsent: true,
    hydrations: true,
    reruns: true,
    heldRows: true,
    heldBytes: true,
    toldRows: true,
    toldBytes: true,
  };
  const shown = parseObject(/```json explanation\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
  expect(Object.keys(shown)).toEqual(Object.keys(explanation));
  expect(Object.keys(shown['observed'] as Observed)).toEqual(Object.keys(observed));
  const section = page.split('### Explain\n')[1]?.split('\n## ')[0] ?? '';
  const described = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .join();
  for (const member of [...Object.keys(shown), ...Object.keys(observed)])
    expect(described).toContain(`\`${member}\``);
});

test('what the plain forms show is taken', () => {
  const plain = examples.filter(
    (example) => !('kind' in example) && ('sql' in example || 'query' in example),
  );
  expect(plain.length).toBeGreaterThan(1);
  for (const example of plain) readQuery(example, readLooseParams);
});

function table(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the table of close codes is complete', () => {
  expect(table('Close codes').map(([code]) => Number(code))).toEqual(Object.values(CLOSE));
});

test('the table of limits tells the defaults', () => {
  const limits: Readonly<Record<string, number>> = { ...SESSION_LIMITS, ...TRANSPORT_LIMITS };
  for (const [name = '', value] of table('Limits'))
    expect([name, Number(value)]).toEqual([name, limits[name.replaceAll('`', '')]]);
});

test("the digests' vectors", () => {
  const rows = [
    ['1', ['1', 'first']],
    ['2', ['2', null]],
    ['3', ['', 'é😀']],
  ] as const;
  const section = page.split('### Digests\n')[1] ?? '';
  for (const n of [1, 2]) {
    const ours = digest('000102030405060708090a0b0c0d0e0f', rows, n);
    const line = `| ${n} | ${ours.buckets.map((sum) => `\`${sum}\``).join(' ')} | \`${ours.order}\` |`;
    expect(section).toContain(line);
  }
  expect(section).toContain(`\`${digest('000102030405060708090a0b0c0d0e0f', [], 1).order}\``);
});
