import { must } from '@sluice/core/assert';
import type { Need } from '@sluice/core/flow/maintained';
import type { FlowEngine } from '@sluice/core/flow/flow-engine';
import type { Source } from '@sluice/core/flow/plan';
import type { Row } from '@sluice/core/flow/row';
import type { TextOrders } from '@sluice/core/flow/text-orders';
import type { PgText } from '@sluice/core/value';
import { rowKey } from '@sluice/core/engine/table-engine';
import { demandSql, tallySql } from '../planner/blocks/demand-sql.js';
import { placeTexts } from '../planner/blocks/order-sql.js';
import type { Registry } from '../registry/registry.js';
import { ByteCount, TooManyBytes } from '../source/byte-count.js';
import type { Run } from '../source/source.js';
import { TooMuch } from './gear.js';

/** Keys that one statement asks for. */
const KEYS_PER_STATEMENT = 10_000;

export interface FetchLimits {
  /** Rows held in the end. */
  readonly rowsMax: number;
  /** Of all that is read, by the length of the texts. */
  readonly bytesMax: number;
  readonly keysPerStatementMax?: number;
}

/**
 * Fetches what an engine needs, in rounds down its demand trees: the rows of one round say what the next asks for. Texts
 * that are to be ordered are placed on the way.
 * @param run of one snapshot's transaction
 * @throws TooMuch when it would hold more than `rowsMax`, or reads more than `bytesMax`
 */
export async function fetchNeeds(
  run: Run,
  registry: Registry,
  engine: FlowEngine,
  { rowsMax, bytesMax, keysPerStatementMax = KEYS_PER_STATEMENT }: FetchLimits,
  orders: TextOrders,
): Promise<void> {
  const bytes = new ByteCount(bytesMax);
  for (let any = true; any;) {
    const needs = engine.needs();
    for (const need of needs) {
      const limits = { rowsMax: rowsMax - engine.heldRowCount, bytes, keysPerStatementMax };
      const rows = await fetchNeed(run, registry, need, limits);
      engine.fill(need, rows);
    }
    any = (await placeTexts(run, orders)) || needs.length > 0;
  }
}

interface NeedLimits extends Required<Omit<FetchLimits, 'bytesMax'>> {
  readonly bytes: ByteCount;
}

async function fetchNeed(
  run: Run,
  registry: Registry,
  { engine, input: at, keys }: Need,
  { rowsMax, bytes, keysPerStatementMax }: NeedLimits,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const { input } = must(engine.block.inputs[at], 'an input of the block');
  const source = input.of;
  if (source.kind !== 'table') throw new Error('assertion failed: only tables are fetched');
  const table = must(registry.tables.get(source.table), 'a plan whose table is gone is planned anew');
  const all = new Map<string, Row[]>();
  const wanted = [...keys];
  let left = rowsMax;
  for (let from = 0; from < wanted.length; from += keysPerStatementMax) {
    const some = wanted.slice(from, from + keysPerStatementMax);
    const sql = (source.tallied === true ? tallySql : demandSql)(
      source,
      input.demand,
      table,
      registry,
      some.map(([, given]) => given),
      left + 1,
    );
    const { rows } = await run(sql.text, sql.params, { bytes }).catch((error: unknown) => {
      throw error instanceof TooManyBytes ? new TooMuch() : error;
    });
    left -= rows.length;
    if (left < 0) throw new TooMuch();
    for (const [ordinal, ...values] of rows) {
      const [key] = must(some[Number(ordinal) - 1], 'a row of a key that was asked for');
      const list = all.get(key);
      const row = heldRow(source, values);
      if (list) list.push(row);
      else all.set(key, [row]);
    }
  }
  return all;
}

function heldRow(source: Source, values: readonly PgText[]): Row {
  if (source.tallied === true) return { key: '', values: values.slice(0, -1), times: Number(values.at(-1)) };
  return { key: rowKey(source, values), values };
}
