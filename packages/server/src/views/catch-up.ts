import type { Member } from '@sluice/core/engine/member';
import type { RowEvent, TableEngine } from '@sluice/core/engine/table-engine';
import { each } from '@sluice/core/few';
import type { Binding } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { Overtaken } from './gear.js';

/** A binding's rows as a snapshot has them. */
export interface Fetched {
  readonly binding: Binding;
  /** In the plan's columns and order. */
  readonly rows: readonly (readonly PgText[])[];
  /** There are no others. */
  readonly complete: boolean;
}

/** What one transaction did to the table; null when it is not known. */
export type StepEvents = readonly RowEvent[] | null;

export interface InEngine<K> {
  /** Holds the members that are past every step. */
  readonly engine: TableEngine;
  readonly members: ReadonlyMap<K, Member>;
  readonly overtaken: ReadonlyMap<K, Overtaken>;
}

/**
 * Puts the transactions that a snapshot did not see on top of what it did see (C5, C8), by the code that follows the
 * stream, in an engine of its own.
 *
 *   rows at the snapshot ─▶ T1 ─▶ T2 ─▶ T3 (a value not sent, a dry window, bulk) ─▶ …
 *                                   │
 *                                   └─ the answer of a binding that misses at T3 is known up to here
 *
 * A second pass makes the answers of those that missed, since an engine shows a member only as of its last step.
 */
export function catchUp<K>(
  newEngine: () => TableEngine,
  fetched: ReadonlyMap<K, Fetched>,
  steps: readonly StepEvents[],
): InEngine<K> {
  const engine = newEngine();
  const members = addAll(engine, fetched);
  const keys = new Map([...members].map(([key, member]) => [member, key]));
  const missed = new Map<K, Miss>();
  const miss = (member: Member, step: number): void => {
    const key = keys.get(member);
    if (key === undefined || !members.delete(key)) return;
    missed.set(key, { step, dry: member.dry });
    engine.remove(member);
  };
  for (const [index, events] of steps.entries()) {
    if (members.size === 0) break;
    const lost = events === null ? [...members.values()] : each(engine.apply(events).missed);
    for (const member of lost) miss(member, index);
  }
  return { engine, members, overtaken: answersBefore(newEngine, fetched, steps, missed) };
}

type Miss = Pick<Overtaken, 'step' | 'dry'>;

function addAll<K>(engine: TableEngine, fetched: ReadonlyMap<K, Fetched>): Map<K, Member> {
  const members = new Map<K, Member>();
  for (const [key, { binding, rows, complete }] of fetched)
    members.set(key, engine.add(binding, rows, complete));
  return members;
}

/** The answers of bindings, each just before the step that is named. */
function answersBefore<K>(
  newEngine: () => TableEngine,
  fetched: ReadonlyMap<K, Fetched>,
  steps: readonly StepEvents[],
  missed: ReadonlyMap<K, Miss>,
): Map<K, Overtaken> {
  const answers = new Map<K, Overtaken>();
  const engine = newEngine();
  const members = addAll(engine, new Map([...fetched].filter(([key]) => missed.has(key))));
  for (const [index, events] of steps.entries()) {
    for (const [key, member] of members) {
      const miss = missed.get(key);
      if (miss?.step !== index) continue;
      answers.set(key, { ...miss, rows: member.shown() });
      members.delete(key);
      engine.remove(member);
    }
    if (members.size === 0 || events === null) break;
    engine.apply(events);
  }
  return answers;
}
