import type { Explanation, Observed, Unsent } from '@sluice/core/explanation';
import type { Registry } from '../registry/registry.js';
import type { ObservedViews } from '../views/observed.js';
import { bareTable } from './table-name.js';

/** So often is again and again. */
const OFTEN = 3;

/** The explanation with what the server has seen, and with the hints that only that can give. */
export function withObserved<E extends Explanation>(
  explanation: E,
  observed: ObservedViews | null,
  registry: Registry,
): E {
  if (observed === null) return explanation;
  const unsent = observed.unsent.flatMap(({ relation, misses }) => unsentOf(relation, misses, registry));
  const seen: Observed = { ...observed, unsent };
  const hints = unsent.flatMap(({ misses, remedy }) => (misses < OFTEN ? [] : [hintOf(misses, remedy)]));
  return { ...explanation, hints: [...explanation.hints, ...hints], observed: seen };
}

/** Nothing of a table that has been mended, or is gone. */
function unsentOf(relation: number, misses: number, registry: Registry): Unsent[] {
  const table = registry.tables.get(relation);
  if (table === undefined || table.replicaIdentity === 'full') return [];
  const remedy = `ALTER TABLE ${bareTable(table)} REPLICA IDENTITY FULL`;
  return [{ table: `${table.schema}.${table.name}`, misses, remedy }];
}

function hintOf(misses: number, remedy: string): string {
  return `${remedy}: views missed ${misses} times for want of long values that updates left as they were and that are not sent so; or leave these columns out of the query.`;
}
