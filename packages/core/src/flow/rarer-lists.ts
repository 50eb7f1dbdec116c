import { must } from '../assert.js';
import { compareBytes } from '../engine/compare-text.js';
import type { Builders } from '../expression/compile.js';
import { byteLength } from '../expression/characters.js';
import { INVALID_PARAMETER, notReproduced, raise } from '../expression/errors.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { ListMaker, ListOptions, Step, Values } from './lists.js';

/** @throws NotReproduced for types of which it is not maintained */
export function rarerListMaker(fn: string, { types, step, builders }: ListOptions): ListMaker {
  switch (fn) {
    case 'array_agg':
      return { skipsNull: false, print: arrayPrinter(types, builders) };
    case 'string_agg':
      return { skipsNull: true, print: joined };
    case 'bytea_string_agg':
      return { skipsNull: true, print: (elements) => `\\x${joined(elements).replaceAll('\\x', '')}` };
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
