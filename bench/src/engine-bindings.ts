/**
 * What one change costs in the engine as bindings grow (P7): each change alters exactly one binding's result.
 *
 *   npm run bench:bindings
 *
 * Method: for each template and number of bindings an engine is filled, then CHANGES updates are applied one
 * transaction at a time, each to a row of another binding; the rounds of all sizes are interleaved, so that a
 * noisy moment touches all of them. The raw limit in the same run is a Map of as many rows, in which the same rows
 * are replaced by new images: what memory alone costs at that size. Every round's output is checked outside the timed part. Reported: the median
 * over ROUNDS of microseconds of processor time per change, the spread (min–max), and the ratio to 10 bindings.
 */
import { TableEngine, type RowEvent } from '@sluice/core/engine/table-engine';
import { PLAN_VERSION, type TablePlan } from '@sluice/core/plan';

const SIZES = [10, 100, 1_000, 10_000, 100_000];
const ROWS_PER_BINDING = 5;
const CHANGES = 20_000;
const ROUNDS = 7;

const INT = { kind: 'int' } as const;
const base: TablePlan = {
  kind: 'table',
  version: PLAN_VERSION,
  chunks: [],
  table: 1,
  columns: [
    { name: 'id', type: INT },
    { name: 'project_id', type: INT },
    { name: 'rank', type: INT },
    { name: 'title', type: { kind: 'text', ordered: false } },
  ],
  where: { op: 'eq', left: { column: 1 }, right: { param: 0 }, type: INT },
  project: [0, 3],
  order: [],
  key: [0],
  limit: null,
  offset: null,
};
const templates: Record<string, TablePlan> = {
  filter: base,
  'top 3': { ...base, order: [{ column: 2, descending: false, nullsFirst: false }], limit: { param: 1 } },
};

interface Bed {
  readonly template: string;
  /** Applies transactions; returns how many operations came of them. */
  readonly work: (transactions: readonly RowEvent[][]) => number;
  readonly bindings: number;
  readonly microseconds: number[];
  version: number;
}

const beds: Bed[] = SIZES.flatMap((bindings) => [
  { template: 'raw Map', bindings, work: rawMap(bindings), microseconds: [], version: 0 },
  ...Object.entries(templates).map(([template, plan]) => ({
    template,
    bindings,
    work: engine(plan, bindings),
    microseconds: [],
    version: 0,
  })),
]);

for (let round = 0; round < ROUNDS; round++) for (const bed of beds) run(bed);
report();

function run(bed: Bed): void {
  bed.version++;
  const transactions = Array.from({ length: CHANGES }, (_, n): RowEvent[] => {
    // Spread over all bindings; always a row that is shown.
    const binding = (n * 7919) % bed.bindings;
    const key = String(binding * ROWS_PER_BINDING);
    return [{ oldKey: key, newKey: key, values: [key, String(binding), '0', `v${bed.version}.${n}`] }];
  });
  const start = process.cpuUsage();
  const operations = bed.work(transactions);
  const { user, system } = process.cpuUsage(start);
  bed.microseconds.push((user + system) / CHANGES);
  if (operations !== CHANGES) throw new Error(`expected ${CHANGES} operations, saw ${operations}`);
}

function rowsOf(binding: number): string[][] {
  return Array.from({ length: ROWS_PER_BINDING }, (_, i) => [
    String(binding * ROWS_PER_BINDING + i),
    String(binding),
    String(i),
    'v0',
  ]);
}

function engine(plan: TablePlan, bindings: number): Bed['work'] {
  const filled = new TableEngine(plan, {});
  for (let b = 0; b < bindings; b++) filled.add([String(b), '3'], rowsOf(b), true);
  return (transactions) => {
    let operations = 0;
    for (const events of transactions) {
      const { told } = filled.apply(events);
      if (told.length !== 1) throw new Error(`a change touched ${told.length} bindings`);
      for (const { ops } of told) operations += ops.length;
    }
    return operations;
  };
}

function rawMap(bindings: number): Bed['work'] {
  const rows = new Map<string, RowEvent>();
  for (let b = 0; b < bindings; b++) {
    for (const values of rowsOf(b))
      rows.set(String(values[0]), { oldKey: null, newKey: String(values[0]), values });
  }
  return (transactions) => {
    let operations = 0;
    for (const [event] of transactions) {
      if (event === undefined || event === 'truncate' || event.newKey === null || !rows.has(event.newKey))
        continue;
      rows.set(event.newKey, { ...event });
      operations++;
    }
    return operations;
  };
}

function report(): void {
  const rows = beds.map((bed) => {
    const sorted = [...bed.microseconds].sort((a, b) => a - b);
    return { bed, median: sorted[sorted.length >> 1] ?? 0, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
  });
  console.log('template  bindings   µs/change  (min–max)       ratio to 10');
  rows.sort((a, b) => a.bed.template.localeCompare(b.bed.template) || a.bed.bindings - b.bed.bindings);
  for (const { bed, median, min, max } of rows) {
    const ten =
      rows.find((row) => row.bed.template === bed.template && row.bed.bindings === SIZES[0])?.median ??
      median;
    console.log(
      `${bed.template.padEnd(8)} ${String(bed.bindings).padStart(9)} ${median.toFixed(2).padStart(11)}  (${min.toFixed(2)}–${max.toFixed(2)})`.padEnd(
        50,
      ) + `${(median / ten).toFixed(2)}`,
    );
  }
}
