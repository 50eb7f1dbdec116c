import { parseArray } from '../expression/array-value.js';
import { INVALID_PARAMETER, notReproduced, raise } from '../expression/errors.js';
import { isArray, partsOf, plain } from '../expression/json.js';
import { parseNode, printNode, sortedMembers, type JsonNode } from '../expression/json-node.js';
import type { Expression } from '../expression.js';
import type { PgText } from '../value.js';
import type { Compile } from './compile.js';

/** A function that returns a set of rows, of Postgres's text. */
export interface SetFunction {
  readonly takesNull: boolean;
  readonly rows: (args: readonly PgText[]) => readonly (readonly PgText[])[];
}

type Strict = (...args: string[]) => readonly (readonly PgText[])[];

const one = (values: Iterable<PgText>): readonly (readonly PgText[])[] =>
  Array.from(values, (value) => [value]);

/** By `pg_proc.prosrc`; each is strict. */
const FUNCTIONS: Readonly<Record<string, Strict>> = {
  array_unnest: (array) => one(parseArray(array).elements),
  generate_subscripts_nodir: (array, dimension) => subscripts(array, dimension, 'f'),
  generate_subscripts: subscripts,
  jsonb_array_elements: (text) => one(items(text).map((item) => printNode(item))),
  jsonb_array_elements_text: (text) => one(items(text).map(asPlain)),
  jsonb_each: (text) => members(text).map(([name, value]) => [name, printNode(value)]),
  jsonb_each_text: (text) => members(text).map(([name, value]) => [name, asPlain(value)]),
  jsonb_object_keys: (text) => one(members(text).map(([name]) => name)),
  json_array_elements: (text) => one(parts(text, true).map((part) => part.text)),
  json_array_elements_text: (text) => one(parts(text, true).map((part) => plain(part.text))),
  json_each: (text) => parts(text, false).map((part) => [part.name, part.text]),
  json_each_text: (text) => parts(text, false).map((part) => [part.name, plain(part.text)]),
  json_object_keys: (text) => one(parts(text, false).map((part) => part.name)),
};

/** Those that count: by what is added, and compared. */
const SERIES: Readonly<Record<string, Series>> = {
  generate_series_int4: { add: 'int8pl', below: 'int8lt', zero: '0', step: '1' },
  generate_series_step_int4: { add: 'int8pl', below: 'int8lt', zero: '0' },
  generate_series_int8: { add: 'int8pl', below: 'int8lt', zero: '0', step: '1' },
  generate_series_step_int8: { add: 'int8pl', below: 'int8lt', zero: '0' },
  generate_series_numeric: { add: 'numeric_add', below: 'numeric_lt', zero: '0', step: '1' },
  generate_series_step_numeric: { add: 'numeric_add', below: 'numeric_lt', zero: '0' },
  generate_series_timestamp: {
    add: 'timestamp_pl_interval',
    below: 'timestamp_lt',
    signed: 'interval_lt',
    zero: '00:00:00',
  },
  generate_series_timestamptz: {
    add: 'timestamptz_pl_interval',
    below: 'timestamp_lt',
    signed: 'interval_lt',
    zero: '00:00:00',
  },
};

interface Series {
  readonly add: string;
  readonly below: string;
  /** What compares steps, where it is not `below`. */
  readonly signed?: string;
  readonly zero: string;
  /** Where it is not given. */
  readonly step?: string;
}

/** Texts that are split: the function that makes an array of them. */
const SPLITS: Readonly<Record<string, string>> = {
  text_to_table: 'text_to_array',
  text_to_table_null: 'text_to_array_null',
};

/** How many columns a known function has; null for one that is not reproduced. */
export function setFunctionWidth(fn: string): number | null {
  if (Object.hasOwn(SERIES, fn) || Object.hasOwn(SPLITS, fn)) return 1;
  if (!Object.hasOwn(FUNCTIONS, fn)) return null;
  return /_each(_text)?$/.test(fn) ? 2 : 1;
}

/** The functions that it calls in turn. */
export function callsOf(fn: string): readonly string[] {
  const { add, below, signed = below } = SERIES[fn] ?? {};
  return [add, below, signed, SPLITS[fn]].filter((one) => one !== undefined);
}

/** @throws NotReproduced for a function that is not reproduced */
export function setFunction(fn: string, compile: Compile, rowsMax: number): SetFunction {
  const series = SERIES[fn];
  if (series !== undefined) return { takesNull: false, rows: counting(series, compile, rowsMax) };
  const split = SPLITS[fn];
  if (split !== undefined) return { takesNull: true, rows: splitting(split, compile) };
  const call = FUNCTIONS[fn] ?? notReproduced(`the function ${fn}`);
  return { takesNull: false, rows: (args) => call(...args.map(String)) };
}

function counting(
  { add, below, signed, zero, step: absent }: Series,
  compile: Compile,
  rowsMax: number,
): (args: readonly PgText[]) => readonly (readonly PgText[])[] {
  const of = (fn: string): ((left: PgText, right: PgText) => PgText) => {
    const call = compile({ op: 'call', fn, args: [param(0), param(1)] });
    return (left, right) => call([], [left, right]);
  };
  const [sum, less, isLess] = [of(add), of(below), of(signed ?? below)];
  return ([start = null, stop = null, given = null]) => {
    const step = given ?? absent ?? null;
    for (const bound of [start, stop])
      if (bound?.includes('infinity') === true || bound === 'NaN') notReproduced('a series without an end');
    const isDown = isLess(step, zero) === 't';
    if (!isDown && isLess(zero, step) !== 't') raise(INVALID_PARAMETER);
    const rows: (readonly PgText[])[] = [];
    for (let at = start; less(isDown ? at : stop, isDown ? stop : at) !== 't'; at = sum(at, step)) {
      rows.push([at]);
      if (rows.length > rowsMax) notReproduced(`a series of more than ${rowsMax}`);
    }
    return rows;
  };
}

function splitting(
  fn: string,
  compile: Compile,
): (args: readonly PgText[]) => readonly (readonly PgText[])[] {
  return (args) => {
    const array = compile({ op: 'call', fn, args: args.map((_, at) => param(at)) })([], args);
    return array === null ? [] : one(parseArray(array).elements);
  };
}

function param(at: number): Expression {
  return { op: 'param', param: at };
}

function subscripts(array: string, dimension: string, reverse: string): readonly (readonly PgText[])[] {
  const { lengths, firsts } = parseArray(array);
  const at = Number(dimension) - 1;
  const first = firsts[at] ?? 1;
  const all = Array.from({ length: lengths[at] ?? 0 }, (_, index) => String(first + index));
  return one(reverse === 't' ? all.toReversed() : all);
}

function items(text: string): readonly JsonNode[] {
  const node = parseNode(text);
  return Array.isArray(node) ? node : raise(INVALID_PARAMETER);
}

function members(text: string): readonly [string, JsonNode][] {
  const node = parseNode(text);
  return node instanceof Map ? sortedMembers(node) : raise(INVALID_PARAMETER);
}

/** A string without its quotes; null for JSON's null. */
function asPlain(node: JsonNode): PgText {
  return node === null ? null : typeof node === 'string' ? node : printNode(node);
}

/** Of an array, or of an object. */
function parts(text: string, ofArray: boolean): NonNullable<ReturnType<typeof partsOf>> {
  const found = partsOf(text);
  return found !== null && isArray(text) === ofArray ? found : raise(INVALID_PARAMETER);
}
