import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { PgText } from '@sluice/core/value';
import type { Contents } from './world.js';
import type { WorldTable } from './world-table.js';

/** Events by the name of the table, with all columns of its rows. */
export type Events = Map<string, RowEvent[]>;

/** Values not sent again because they are stored apart: one in so many updates. */
const LONG_EVERY = 29;

/**
 * What the stream would say of one statement, told from what was there before and after it. What the stream may say in
 * several ways (a changed key, a value that is not sent again) is chosen by the values, so that it is the same when
 * the statements around it are left out.
 */
export function eventsOf(
  tables: readonly WorldTable[],
  statement: string,
  before: Contents,
  after: Contents,
  into: Events,
): void {
  for (const table of tables) {
    const old = before.get(table.name) ?? new Map<string, readonly PgText[]>();
    const now = after.get(table.name) ?? new Map<string, readonly PgText[]>();
    const events = into.get(table.name) ?? [];
    if (
      statement.startsWith('TRUNCATE') &&
      now.size === 0 &&
      (old.size > 0 || statement.includes(table.name))
    )
      events.push('truncate');
    else events.push(...changesOf(table, old, now));
    if (events.length > 0) into.set(table.name, events);
  }
}

type Rows = ReadonlyMap<string, readonly PgText[]>;

function changesOf(table: WorldTable, old: Rows, now: Rows): RowEvent[] {
  const gone = [...old].filter(([key]) => !now.has(key));
  const come = [...now].filter(([key]) => !old.has(key));
  const events: RowEvent[] = [];
  for (const [key, values] of now) {
    const was = old.get(key);
    if (was === undefined || JSON.stringify(was) === JSON.stringify(values)) continue;
    const sent = table.columns.map(({ isLong, attnum }, at) =>
      isLong && !table.key.includes(attnum) && was[at] === values[at] && hash(key + at) % LONG_EVERY === 0
        ? undefined
        : (values[at] ?? null),
    );
    events.push({
      oldKey: key,
      newKey: key,
      values: sent,
      ...(table.identityFull ? { oldValues: was } : {}),
    });
  }
  while (gone.length > 0 && come.length > 0 && hash(gone[0]?.[0] ?? '') % 2 === 0) {
    const [[oldKey, was] = ['', []], [newKey, values] = ['', []]] = [gone.shift(), come.shift()];
    events.push({ oldKey, newKey, values, ...(table.identityFull ? { oldValues: was } : {}) });
  }
  for (const [key, was] of gone)
    events.push({ oldKey: key, newKey: null, values: [], ...(table.identityFull ? { oldValues: was } : {}) });
  for (const [key, values] of come) events.push({ oldKey: null, newKey: key, values });
  return events;
}

export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
