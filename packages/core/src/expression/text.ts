import { trimBlanks } from '../engine/compare-text.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { byteLength, cut, lengthOf } from './characters.js';
import { INVALID_PARAMETER, notReproduced, raise } from './errors.js';
import { lowering, raising } from './casing.js';
import { loose, stable, strict, tests, typed, type Family } from './registry.js';

/** Longer results are left to Postgres, which has its own limit. */
const RESULT_LENGTH_MAX = 10_000_000;
const TOO_LONG = '54000';
const SUBSTRING_ERROR = '22011';
const TRUNCATED = '22001';

function substring(text: string, start: number, length: number | null): string {
  if (length !== null && length < 0) raise(SUBSTRING_ERROR);
  const from = Math.max(start, 1) - 1;
  const to = length === null ? Infinity : start + length - 1;
  return to <= from ? '' : cut(text, from, to === Infinity ? undefined : to);
}

function right(text: string, count: number): string {
  if (count === 0) return '';
  if (count === -(2 ** 31)) notReproduced('a count that has no negative');
  const length = lengthOf(text);
  return cut(text, count > 0 ? Math.max(length - count, 0) : Math.min(-count, length));
}

function left(text: string, count: number): string {
  return count >= 0 ? cut(text, 0, count) : cut(text, 0, Math.max(lengthOf(text) + count, 0));
}

function trim(text: string, set: string, atStart: boolean, atEnd: boolean): string {
  const wanted = new Set(set);
  const units = Array.from(text);
  let from = 0;
  let to = units.length;
  while (atStart && from < to && wanted.has(units[from] ?? '')) from++;
  while (atEnd && to > from && wanted.has(units[to - 1] ?? '')) to--;
  return units.slice(from, to).join('');
}

function padding(text: string, lengthText: string, fill: string, atStart: boolean): string {
  const length = Math.max(Number(lengthText), 0);
  if (length > RESULT_LENGTH_MAX) notReproduced('very long padding');
  const have = lengthOf(text);
  if (have >= length || fill === '') return cut(text, 0, length);
  const count = length - have;
  const pad = cut(fill.repeat(Math.ceil(count / lengthOf(fill))), 0, count);
  return atStart ? pad + text : text + pad;
}

function repeat(text: string, countText: string): string {
  const count = Math.max(Number(countText), 0);
  if (text.length * count > RESULT_LENGTH_MAX) notReproduced('a very long repetition');
  return text.repeat(count);
}

function position(text: string, part: string): string {
  const found = text.indexOf(part);
  return String(found < 0 ? 0 : lengthOf(text.slice(0, found)) + 1);
}

function replace(text: string, part: string, by: string): string {
  if (part === '' || text === '') return text;
  const parts = text.split(part);
  if (text.length + (parts.length - 1) * by.length > RESULT_LENGTH_MAX) notReproduced('a very long text');
  return parts.join(by);
}

function splitPart(text: string, separator: string, field: number): string {
  if (field === 0) raise(INVALID_PARAMETER);
  if (text === '') return '';
  const parts = separator === '' ? [text] : text.split(separator);
  return parts.at(field > 0 ? field - 1 : field) ?? '';
}

function translate(text: string, from: string, to: string): string {
  const targets = Array.from(to);
  const map = new Map<string, string>();
  Array.from(from).forEach((unit, index) => {
    if (!map.has(unit)) map.set(unit, targets[index] ?? '');
  });
  return Array.from(text, (unit) => map.get(unit) ?? unit).join('');
}

function character(code: number): string {
  if (code < 0) notReproduced('a negative code');
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) raise(TOO_LONG);
  return String.fromCodePoint(code);
}

function overlay(text: string, by: string, start: number, length: number): string {
  if (start <= 0) raise(SUBSTRING_ERROR);
  return substring(text, 1, start - 1) + by + substring(text, start + length, null);
}

/** Assigned to `varchar(n)`: cut silently when cast, else only blanks may go. */
function toVarchar(text: string, modifier: string, explicit: string): string {
  const length = Number(modifier) - 4;
  if (length < 0 || lengthOf(text) <= length) return text;
  if (explicit !== 't' && /[^ ]/.test(cut(text, length))) raise(TRUNCATED);
  return cut(text, 0, length);
}

function toChar(text: string, modifier: string, explicit: string): string {
  const length = Number(modifier) - 4;
  if (length < 0) return text;
  const have = lengthOf(text);
  return have <= length ? text + ' '.repeat(length - have) : toVarchar(text, modifier, explicit);
}

const same = (text: string): string => text;

export const FUNCTIONS: Family = {
  ...tests({ text_starts_with: (text, start) => text.startsWith(start) }),
  ...typed('text', { lower: lowering, upper: raising }),
  ...strict('int4', {
    textlen: (text) => String(lengthOf(text)),
    textoctetlen: (text) => String(byteLength(text)),
    bpcharlen: (text) => String(lengthOf(trimBlanks(text))),
    bpcharoctetlen: (text) => String(byteLength(text)),
    textpos: position,
    ascii: (text) => String(text.codePointAt(0) ?? 0),
  }),
  ...strict('text', {
    textcat: (a, b) => a + b,
    text_substr: (text, start, length) => substring(text, Number(start), Number(length)),
    text_substr_no_len: (text, start) => substring(text, Number(start), null),
    text_left: (text, count) => left(text, Number(count)),
    text_right: (text, count) => right(text, Number(count)),
    btrim: (text, set) => trim(text, set, true, true),
    ltrim: (text, set) => trim(text, set, true, false),
    rtrim: (text, set) => trim(text, set, false, true),
    btrim1: (text) => trim(text, ' ', true, true),
    ltrim1: (text) => trim(text, ' ', true, false),
    rtrim1: trimBlanks,
    lpad: (text, length, fill) => padding(text, length, fill, true),
    rpad: (text, length, fill) => padding(text, length, fill, false),
    'lpad(text,integer)': (text, length) => padding(text, length, ' ', true),
    'rpad(text,integer)': (text, length) => padding(text, length, ' ', false),
    repeat,
    replace_text: replace,
    split_part: (text, separator, field) => splitPart(text, separator, Number(field)),
    translate,
    text_reverse: (text) => Array.from(text).toReversed().join(''),
    chr: (code) => character(Number(code)),
    textoverlay: (text, by, start, length) => overlay(text, by, Number(start), Number(length)),
    textoverlay_no_len: (text, by, start) => overlay(text, by, Number(start), lengthOf(by)),
    textin: same,
    textout: same,
    varcharout: same,
    bpcharout: same,
  }),
  ...strict('varchar', { varchar: toVarchar }),
  ...strict('bpchar', { bpchar: toChar }),
  ...stable({
    ...typed('text', {
      'textanycat(text,anynonarray)': ([, type]) => {
        const view = textOf(type);
        return (a, b) => a + view(b);
      },
      'anytextcat(anynonarray,text)': ([type]) => {
        const view = textOf(type);
        return (a, b) => view(a) + b;
      },
    }),
    ...loose('text', {
      text_format: () => formatted,
      text_concat: () => joined(''),
      text_concat_ws:
        () =>
        (separator, ...rest) =>
          separator === null ? null : joined(separator)(...rest),
    }),
  }),
};

/** `%s` alone: identifiers and literals are quoted by rules of their own. */
function formatted(pattern: PgText = null, ...args: PgText[]): PgText {
  if (pattern === null) return null;
  let used = 0;
  return pattern.replace(/%(.?)/gsu, (_match, kind: string) => {
    if (kind === '%') return '%';
    if (kind !== 's') return notReproduced('this pattern of format');
    if (used >= args.length) raise(INVALID_PARAMETER);
    return args[used++] ?? '';
  });
}

function joined(separator: string): (...args: (string | null)[]) => string {
  return (...args) => args.filter((arg) => arg !== null).join(separator);
}

/** What a cast to text makes of a value that is not text. */
function textOf(type: ValueType | undefined): (value: string) => string {
  if (type === undefined || type.kind === 'opaque') return notReproduced('a cast of this type to text');
  if (type.kind === 'bool') return (value) => (value === 't' ? 'true' : 'false');
  if (type.kind === 'char') return trimBlanks;
  if (type.kind === 'inet') return notReproduced('an address as text');
  return same;
}
