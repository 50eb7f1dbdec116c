/**
 * How many changes a second the decoder takes from the bytes of a replication socket, on one core, without Postgres.
 *
 *   npm run bench:decoder
 *
 * Method: TRANSACTIONS of CHANGES single-row changes (insert, update, delete in turn, a table of 8 columns) are
 * written out as Postgres frames them and cut into chunks of 64 kB, as sockets give them. Modes: `raw` only cuts the
 * chunks into messages (the limit of everything above it); `lazy` makes transactions and reads no value; `key` reads
 * the first column of each row, as a view does that discards most changes; `texts` reads every value as text; `typed`
 * also converts each to a JavaScript value. The rounds of all modes are interleaved. Every round's output is checked outside the timed
 * part: the number of messages or changes, and a checksum of the values read. Reported: the median over ROUNDS in
 * changes a second, the spread, and the ratio to raw.
 */
import { LSN_ZERO } from '@sluice/core/lsn';
import { FrameReader } from '@sluice/server/source/frame-reader';
import { StreamReader } from '@sluice/server/source/stream-reader';
import type { Change, Tuple } from '@sluice/server/source/transaction';

const TRANSACTIONS = 2_000;
const CHANGES = 100;
const ROUNDS = 7;
const CHUNK_BYTES = 65_536;

const COLUMNS = [
  ['id', 20],
  ['team', 23],
  ['title', 25],
  ['body', 25],
  ['done', 16],
  ['rank', 701],
  ['created', 1184],
  ['note', 25],
] as const;

/** What a round read: how many things, and a checksum of what they said. */
interface Outcome {
  readonly count: number;
  readonly sum: number;
}

const modes: Record<
  string,
  { readonly run: (chunks: readonly Buffer[]) => Outcome; readonly expected: Outcome }
> = {
  raw: { run: raw, expected: { count: TRANSACTIONS * (CHANGES + 2) + 1, sum: 0 } },
  lazy: { run: reading(() => 0), expected: { count: TRANSACTIONS * CHANGES, sum: 0 } },
  key: { run: reading((row) => Number(row.text(0))), expected: expectedSum((id) => id) },
  texts: { run: reading(textLengths), expected: expectedSum((id, kind) => lengthOf(id, kind)) },
  typed: {
    run: reading(typed),
    expected: expectedSum((id, kind) => (kind === 2 ? id : id + (id % 97) + id / 2)),
  },
};

const chunks = makeChunks();
const seconds: Record<string, number[]> = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [mode, { run, expected }] of Object.entries(modes)) {
    const before = process.cpuUsage();
    const outcome = run(chunks);
    const used = process.cpuUsage(before);
    if (outcome.count !== expected.count || Math.abs(outcome.sum - expected.sum) > 1e-3) {
      throw new Error(`${mode}: ${JSON.stringify(outcome)} instead of ${JSON.stringify(expected)}`);
    }
    (seconds[mode] ??= []).push((used.user + used.system) / 1_000_000);
  }
}
report();

function report(): void {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  console.log(`${TRANSACTIONS * CHANGES} changes, ${(bytes / 1_048_576).toFixed(1)} MB, ${ROUNDS} rounds`);
  const rate = (cpuSeconds: number): number => (TRANSACTIONS * CHANGES) / cpuSeconds;
  const median = (mode: string): number =>
    rate((seconds[mode] ?? []).toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 1);
  for (const mode of Object.keys(modes)) {
    const rates = (seconds[mode] ?? []).map(rate);
    const spread = `${(Math.min(...rates) / 1e6).toFixed(2)}–${(Math.max(...rates) / 1e6).toFixed(2)}`;
    const ratio = (median(mode) / median('raw')).toFixed(2);
    console.log(`${mode.padEnd(6)} ${(median(mode) / 1e6).toFixed(2)} M/s  (${spread})  ${ratio} of raw`);
  }
}

function raw(input: readonly Buffer[]): Outcome {
  let count = 0;
  const frames = new FrameReader(() => count++);
  for (const chunk of input) frames.push(chunk);
  return { count, sum: 0 };
}

function reading(read: (row: Tuple) => number): (input: readonly Buffer[]) => Outcome {
  return (input) => {
    let count = 0;
    let sum = 0;
    const reader = new StreamReader(LSN_ZERO, 1_000_000_000, {
      coming: () => undefined,
      transaction: ({ changes }) => {
        count += changes.length;
        for (const change of changes) sum += read(rowOf(change));
      },
      progress: () => undefined,
      keepalive: () => undefined,
    });
    const frames = new FrameReader((_type, buffer, start, end) => reader.message(buffer, start + 25, end));
    for (const chunk of input) {
      frames.push(chunk);
      reader.flush();
    }
    return { count, sum };
  };
}

function rowOf(change: Change): Tuple {
  if (change.kind === 'truncate') throw new Error('no truncates were written');
  return change.kind === 'delete' ? change.old : change.new;
}

function textLengths(row: Tuple): number {
  let sum = 0;
  for (let column = 0; column < row.length; column++) sum += row.text(column)?.length ?? 0;
  return sum;
}

function typed(row: Tuple): number {
  const id = Number(BigInt(row.text(0) ?? 0));
  const team = Number(row.text(1) ?? 0);
  const title = row.text(2);
  const body = row.text(3);
  const done = row.text(4) === 't';
  const rank = Number(row.text(5) ?? 0);
  const created = Date.parse(row.text(6) ?? '1970-01-01');
  const note = row.text(7);
  if (title === undefined || body === undefined || note !== null || Number.isNaN(created))
    throw new Error('a wrong row');
  return id + team + rank + (done ? 0 : 0);
}

// -------------------------------------------------------------- what Postgres would send

function valuesOf(id: number, kind: number): (string | null)[] {
  if (kind === 2) return [String(id), null, null, null, null, null, null, null];
  const text = 'The quick brown fox jumps over the lazy dog, ';
  return [
    String(id),
    String(id % 97),
    `title ${id}`,
    text + text,
    't',
    String(id / 2),
    '2024-02-29 12:34:56.789+00',
    null,
  ];
}

function lengthOf(id: number, kind: number): number {
  return valuesOf(id, kind).reduce((sum, value) => sum + (value?.length ?? 0), 0);
}

function expectedSum(of: (id: number, kind: number) => number): Outcome {
  let sum = 0;
  for (let id = 0; id < TRANSACTIONS * CHANGES; id++) sum += of(id, id % 3);
  return { count: TRANSACTIONS * CHANGES, sum };
}

function makeChunks(): Buffer[] {
  const parts: Buffer[] = [frame(relation())];
  for (let transaction = 0; transaction < TRANSACTIONS; transaction++) {
    const lsn = BigInt(transaction + 1) * 1000n;
    parts.push(frame(Buffer.concat([Buffer.from('B'), u64(lsn), u64(0n), u32(transaction + 3)])));
    for (let index = 0; index < CHANGES; index++) parts.push(frame(change(transaction * CHANGES + index)));
    parts.push(frame(Buffer.concat([Buffer.from('C\0'), u64(lsn), u64(lsn + 1n), u64(0n)])));
  }
  const whole = Buffer.concat(parts);
  const cut: Buffer[] = [];
  for (let at = 0; at < whole.length; at += CHUNK_BYTES)
    cut.push(Buffer.from(whole.subarray(at, at + CHUNK_BYTES)));
  return cut;
}

function change(id: number): Buffer {
  const kind = id % 3;
  const head = [Buffer.from('IUD'[kind] ?? ''), u32(16_384), Buffer.from(kind === 2 ? 'K' : 'N')];
  const row = valuesOf(id, kind).map((value) =>
    value === null
      ? Buffer.from('n')
      : Buffer.concat([Buffer.from('t'), u32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  return Buffer.concat([...head, u16(row.length), ...row]);
}

function relation(): Buffer {
  const columns = COLUMNS.map(([name, oid], index) =>
    Buffer.concat([Buffer.from([index === 0 ? 1 : 0]), Buffer.from(`${name}\0`), u32(oid), u32(0xffff_ffff)]),
  );
  return Buffer.concat([
    Buffer.from('R'),
    u32(16_384),
    Buffer.from('public\0item\0d'),
    u16(columns.length),
    ...columns,
  ]);
}

/** CopyData around XLogData around the message. */
function frame(message: Buffer): Buffer {
  const header = Buffer.concat([Buffer.from('w'), u64(0n), u64(0n), u64(0n)]);
  return Buffer.concat([Buffer.from('d'), u32(4 + header.length + message.length), header, message]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
