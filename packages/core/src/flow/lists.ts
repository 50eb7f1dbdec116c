import { must } from '../assert.js';
import { compareBytes } from '../engine/compare-text.js';
import type { Builders } from '../expression/compile.js';
import { byteLength } from '../expression/characters.js';
import { INVALID_PARAMETER, notReproduced, raise } from '../expression/errors.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';

type Values = readonly (readonly PgText[])[];

/**
 * Aggregates that show all their values in an order. Elements come as their arguments; those of JSON are JSON already
 * (the plan calls `to_json` and `to_jsonb`), so that a page loads of it what its plans need.
 */
interface ListMaker {
  /** Elements whose first argument is NULL do not count. */
  readonly skipsNull: boolean;
  /** @param elements one at least */
  readonly print: (elements: Values) => string;
}

type Step = (state: PgText, value: PgText) => PgText;

/** @throws NotReproduced for types of which it is not maintained */
export function listMaker(
  fn: string,
  {
    types,
    step,
    builders,
  }: { readonly types: readonly ValueType[]; readonly step: Step | null; readonly builders: Builders },
): ListMaker {
  switch (fn) {
    case 'array_agg':
      return { skipsNull: false, print: arrayPrinter(types, builders) };
    case 'string_agg':
      return { skipsNull: true, print: joined };
    case 'bytea_string_agg':
      return { skipsNull: true, print: (elements) => `\\x${joined(elements).replaceAll('\\x', '')}` };
    case 'json_agg':
      return { skipsNull: false, print: (elements) => `[${elements.map(firstOrNull).join(', ')}]` };
    case 'json_agg_lines':
      return { skipsNull: false, print: lines };
    case 'json_object_agg':
      return { skipsNull: false, print: jsonObject };
    case 'jsonb_object_agg':
      return { skipsNull: false, print: jsonbObject };
    case 'fold':
      return { skipsNull: true, print: folding(must(step, 'a fold has a step')) };
    default:
      return notReproduced(`the aggregate ${fn}`);
  }
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

/** The second argument stands before each but the first. */
function joined(elements: Values): string {
  return elements
    .map(([value, delimiter], at) => (at === 0 ? '' : (delimiter ?? '')) + (value ?? ''))
    .join('');
}

function arrayPrinter(
  [type = { kind: 'opaque' }]: readonly ValueType[],
  { array }: Builders,
): (elements: Values) => string {
  const build = must(array, 'a plan names its chunks')(type);
  return (elements) => {
    const values = elements.map(([value]) => value ?? null);
    if (type.kind === 'array' && values.some((value) => value === null || value === '{}'))
      notReproduced('an array of arrays that are empty or null');
    return build(values);
  };
}

/** A member's name is any scalar; it stands in quotes. */
function nameOf(json: PgText): string {
  if (json === null) return raise(INVALID_PARAMETER);
  return json.startsWith('"') ? json : `"${json}"`;
}

function jsonObject(elements: Values): string {
  const members = elements.map(([name, value]) => `${nameOf(name ?? null)} : ${value ?? 'null'}`);
  return `{ ${members.join(', ')} }`;
}

/** Of members that occur twice the last stays; they stand by the length of their names, then by their bytes. */
function jsonbObject(elements: Values): string {
  const members = new Map<string, string>();
  for (const [name, value] of elements) members.set(nameOf(name ?? null), value ?? 'null');
  const sorted = [...members]
    .map(([json, value]) => ({ json, value, name: JSON.parse(json) as string }))
    .toSorted((a, b) => byteLength(a.name) - byteLength(b.name) || compareBytes(a.name, b.name));
  return `{${sorted.map(({ json, value }) => `${json}: ${value}`).join(', ')}}`;
}

/** From the first to the last, as Postgres does: floats in another order have another sum. */
function folding(step: Step): (elements: Values) => string {
  return (elements) => {
    const [first, ...rest] = elements.map(([value]) => value ?? null);
    return must(rest.reduce(step, first ?? null), 'the sum of what is not null');
  };
}
