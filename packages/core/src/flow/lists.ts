import { must } from '../assert.js';
import type { Builders } from '../expression/compile.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';

export type Values = readonly (readonly PgText[])[];

/**
 * Aggregates that show all their values in an order. Elements come as their arguments; those of JSON are JSON already
 * (the plan calls `to_json` and `to_jsonb`), so that a page loads of it what its plans need.
 */
export interface ListMaker {
  /** Elements whose first argument is NULL do not count. */
  readonly skipsNull: boolean;
  /** @param elements one at least */
  readonly print: (elements: Values) => string;
}

export type Step = (state: PgText, value: PgText) => PgText;

export interface ListOptions {
  readonly types: readonly ValueType[];
  readonly step: Step | null;
  readonly builders: Builders;
}

/** Those that nested rows are made of; the others are a chunk of their own. */
const USUAL: Readonly<Record<string, ListMaker>> = {
  json_agg: { skipsNull: false, print: (elements) => `[${elements.map(firstOrNull).join(', ')}]` },
  json_agg_lines: { skipsNull: false, print: lines },
};

export function isUsualList(fn: string): boolean {
  return Object.hasOwn(USUAL, fn);
}

/** @throws NotReproduced for types of which it is not maintained */
export function listMaker(
  fn: string,
  options: ListOptions,
  rarer: ((fn: string, options: ListOptions) => ListMaker) | undefined,
): ListMaker {
  return USUAL[fn] ?? must(rarer, 'a plan names its chunks')(fn, options);
}

const firstOrNull = ([value]: readonly PgText[]): string => value ?? 'null';

/** Arrays and rows stand on lines of their own. (json.c, `json_agg_transfn_worker`) */
function lines(elements: Values): string {
  const parts = elements.map((element, at) => {
    const [value = null] = element;
    const space = at === 0 ? '' : value === null ? ', ' : ', \n ';
    return space + (value ?? 'null');
  });
  return `[${parts.join('')}]`;
}
