/**
 * What one child more costs in a row that has many as JSON, as their number grows: bytes told, and time in the server
 * and in the client, without sockets and Postgres.
 *
 *   npm run bench:children
 *
 * Method: a row of two columns, the second a JSON list of 10 to 10,000 comments of about 130 characters. In turn a comment
 * is added at the end, one in the middle changes, one at the front goes, and one at each end changes at once (the one
 * change that is not found by what both texts begin and end with). `server` is the time from the two rows to the
 * encoded delta in both of its forms; `client` from the text of the delta with edits to the decoded row in which equal
 * children are the ones that they were. Beside them the raw limits: `encode`, the whole row made a message, and `parse`,
 * the JSON of the column read, which both ways of telling have to do. Checked outside the timed part: the row is what it
 * should be, and as many children are new objects as changed. Reported: medians over ROUNDS, with the spread.
 */
import { editRow } from '@sluice/core/edit';
import { diffRows, type KeyedRow } from '@sluice/core/engine/diff';
import { asLsn } from '@sluice/core/lsn';
import { rowDecoder } from '@sluice/core/row-decoder';
import { share } from '@sluice/core/share';
import type { Shape } from '@sluice/core/shape';
import type { Row } from '@sluice/core/value';
import type { Delta } from '@sluice/core/wire';
import { Publications } from '@sluice/server/views/publications';
import { View } from '@sluice/server/views/view';
import type { Entry } from '@sluice/server/views/port';

const ROUNDS = 41;
const SPEC = { sql: '', params: [], principal: { role: 'r', claims: {} }, adHoc: false };

interface Comment {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  readonly at: string;
}

const SHAPE: Shape = {
  columns: [
    { name: 'id', type: 'integer', decoder: 'integer' },
    { name: 'comments', type: 'json', decoder: 'json' },
  ],
  ordered: false,
};
const decode = rowDecoder(SHAPE, 'decoded');

const comment = (
  id: number,
  body = `What I think of this: ${(id * 7919) % 100_003}, and "no more" than that.`,
): Comment => ({
  id,
  author: ['Ada', 'Grace', 'Edsger'][id % 3] ?? '',
  body,
  at: `2024-02-29T12:${String(id % 60).padStart(2, '0')}:00+00:00`,
});
const altered = (list: readonly Comment[], at: number): Comment[] =>
  list.with(at, comment(at, `Changed: ${at}.`));

/** Each with how many children are new objects afterwards. */
const CHANGES: Readonly<Record<string, readonly [(list: readonly Comment[]) => readonly Comment[], number]>> =
  {
    'one more': [(list) => [...list, comment(list.length)], 1],
    'one changed': [(list) => altered(list, list.length >> 1), 1],
    'one gone': [(list) => list.slice(1), 0],
    'one at each end': [(list) => altered(altered(list, 1), list.length - 2), 2],
  };

interface Times {
  readonly server: number[];
  readonly client: number[];
  readonly encode: number[];
  readonly parse: number[];
}

measureAll(300); // for the compiler
console.log(
  'children  change            edit B   whole B  server µs (min–max)  encode µs  client µs (min–max)   parse µs',
);
for (const count of [10, 100, 1000, 10_000]) for (const line of measureAll(count)) console.log(line);

function measureAll(count: number): readonly string[] {
  const list = Array.from({ length: count }, (_, id) => comment(id));
  return Object.entries(CHANGES).map(([name, [change, fresh]]) => measure(name, list, change(list), fresh));
}

function measure(name: string, before: readonly Comment[], after: readonly Comment[], fresh: number): string {
  const times: Times = { server: [], client: [], encode: [], parse: [] };
  let bytes: readonly number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [old, next] = [rowOf(before), rowOf(after)];
    const entries: Entry[] = [];
    const publications = new Publications((entry) => void entries.push(entry));
    const view = new View('v1_8f3a', SHAPE, SPEC, publications);
    view.rows({ epoch: '7.1', lsn: asLsn(10n) }, [keyed(old)]);
    const [held, now] = [keyed(old), keyed(next)];
    times.server.push(
      timed(() => view.delta({ epoch: '7.1', lsn: asLsn(11n) }, diffRows([held], [now], false))),
    );
    times.encode.push(timed(() => Buffer.from(`["put",${now.keyJson},${now.json}]`)));
    const entry = entries[1];
    if (entry?.kind !== 'delta' || entry.edited === undefined) throw new Error(`${name}: not told by edits`);
    bytes = [entry.edited.length, entry.message.length];
    const shown = decode(old);
    const text = Buffer.from(entry.edited).toString();
    let result = shown;
    times.client.push(timed(() => void (result = share(shown, decode(applied(old, text))))));
    times.parse.push(timed(() => JSON.parse(next[1] ?? '') as unknown));
    check(name, shown['comments'], result['comments'], after, fresh);
  }
  const told = bytes.map((length) => String(length).padStart(9)).join(' ');
  const server = `${spread(times.server)}  ${median(times.encode)}`;
  const client = `${spread(times.client)}  ${median(times.parse)}`;
  return `${String(before.length).padStart(8)}  ${name.padEnd(15)} ${told}  ${server}  ${client}`;
}

function rowOf(list: readonly Comment[]): Row {
  return ['7', `[${list.map((one) => JSON.stringify(one)).join(', \n ')}]`];
}

function keyed(row: Row): KeyedRow {
  return { keyJson: '"7"', json: JSON.stringify(row) };
}

function applied(row: Row, text: string): Row {
  const [op] = (JSON.parse(text) as Delta).ops;
  if (op?.[0] !== 'edit') throw new Error('not an edit');
  return editRow(row, op[2]);
}

function check(
  name: string,
  before: unknown,
  after: unknown,
  expected: readonly Comment[],
  fresh: number,
): void {
  if (JSON.stringify(after) !== JSON.stringify(expected))
    throw new Error(`${name}: not the row that it should be`);
  const held = new Set(before as readonly unknown[]);
  const count = (after as readonly unknown[]).filter((child) => !held.has(child)).length;
  if (count !== fresh) throw new Error(`${name}: ${count} new objects instead of ${fresh}`);
}

function timed(run: () => unknown): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1000;
}

function median(times: readonly number[]): string {
  return (times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0).toFixed(0).padStart(9);
}

function spread(times: readonly number[]): string {
  const range = `(${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)})`;
  return `${median(times)} ${range.padEnd(13)}`;
}
