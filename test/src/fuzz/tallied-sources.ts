import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { ImageChange } from '@sluice/core/flow/images';
import type { Block, Source } from '@sluice/core/flow/plan';
import type { Row } from '@sluice/core/flow/row';
import type { PgText } from '@sluice/core/value';
import type { Events } from './stream.js';
import type { World } from './world.js';
import type { WorldTable } from './world-table.js';

/** A table, and which of its columns a plan reads. */
export interface ReadTable {
  readonly table: WorldTable;
  readonly columns: readonly number[];
}

export function readTable(world: World, oid: number, names: readonly string[]): ReadTable | undefined {
  const table = world.table(oid);
  if (table === undefined) return undefined;
  return { table, columns: names.map((name) => table.columns.findIndex((column) => column.name === name)) };
}

/** The sources of a plan that are aggregated without holding their rows. */
export function talliesOf(world: World, block: Block): ReadonlyMap<Source, ReadTable> {
  const tallies = new Map<Source, ReadTable>();
  for (const { of } of block.inputs) {
    if (of.kind === 'block')
      for (const [source, table] of talliesOf(world, of.block)) tallies.set(source, table);
    else if (of.tallied === true) {
      const table = readTable(
        world,
        of.table,
        of.columns.map(({ name }) => name),
      );
      if (table !== undefined) tallies.set(of, table);
    }
  }
  return tallies;
}

/**
 * What the stream says of them: whole rows before and after each change.
 * @param events takes note of tables that were emptied
 */
export function imagesOf(
  tallies: ReadonlyMap<Source, ReadTable>,
  stream: Events,
  events: Map<number, readonly RowEvent[]>,
): ReadonlyMap<Source, readonly ImageChange[]> {
  const images = new Map<Source, readonly ImageChange[]>();
  for (const [source, { table, columns }] of tallies) {
    const own = stream.get(table.name);
    if (own === undefined) continue;
    if (own.includes('truncate')) events.set(table.oid, ['truncate']);
    else
      images.set(
        source,
        own.flatMap((event) => (event === 'truncate' ? [] : [imageOf(event, columns)])),
      );
  }
  return images;
}

function imageOf(event: Exclude<RowEvent, 'truncate'>, columns: readonly number[]): ImageChange {
  const { oldKey, newKey, values, oldValues } = event;
  const picked = (from: (at: number) => PgText | undefined): readonly PgText[] =>
    columns.map((at) => from(at) ?? null);
  return {
    old: oldKey === null ? null : picked((at) => oldValues?.[at]),
    // What is not sent again did not change.
    next: newKey === null ? null : picked((at) => (values[at] === undefined ? oldValues?.[at] : values[at])),
  };
}

/** Equal rows are one, with their number. */
export function countedRows(rows: readonly Row[]): readonly Row[] {
  const counted = new Map<
    string,
    { readonly key: string; readonly values: readonly PgText[]; times: number }
  >();
  for (const { values } of rows) {
    const text = JSON.stringify(values);
    const known = counted.get(text);
    if (known === undefined) counted.set(text, { key: '', values, times: 1 });
    else known.times++;
  }
  return [...counted.values()];
}
