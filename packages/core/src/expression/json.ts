import type { PgText } from '../value.js';
import { parseArrayElements } from '../engine/array-text.js';
import { INVALID_PARAMETER, notReproduced, raise } from './errors.js';
import { pathIndex, readString } from './json-node.js';
import { strict, type Family } from './registry.js';

/**
 * `json` is kept as it was written: white space, the order of members, those that occur twice (of which the last
 * counts). So its parts are cut out of the text.
 */
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:{}[\]"]+/y;

export interface Part {
  readonly name: string | null;
  readonly text: string;
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

/** Where the value that begins here ends. */
function endOf(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    at = skipSpace(text, at);
    const char = text[at];
    if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    if (char !== undefined && '{}[],:'.includes(char)) at++;
    else {
      SCALAR.lastIndex = at;
      if (SCALAR.exec(text) === null) notReproduced('text that is no JSON');
      at = SCALAR.lastIndex;
    }
  } while (depth > 0);
  return at;
}

/** The members of an object or the elements of an array; null for a scalar. */
export function partsOf(text: string): Part[] | null {
  let at = skipSpace(text, 0);
  const open = text[at];
  if (open !== '{' && open !== '[') return null;
  if (text.includes('\\u')) notReproduced('escapes of characters in json');
  const parts: Part[] = [];
  for (at = skipSpace(text, at + 1); text[at] !== '}' && text[at] !== ']';) {
    let name: string | null = null;
    if (open === '{') {
      const end = endOf(text, at);
      name = readString(text.slice(at, end));
      at = skipSpace(text, skipSpace(text, end) + 1);
    }
    const end = endOf(text, at);
    parts.push({ name, text: text.slice(at, end) });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return parts;
}

export function isArray(text: string): boolean {
  return text[skipSpace(text, 0)] === '[';
}

function member(text: string, name: string): PgText {
  return isArray(text) ? null : (partsOf(text)?.findLast((part) => part.name === name)?.text ?? null);
}

function element(text: string, index: number): PgText {
  return isArray(text) ? (partsOf(text)?.at(index)?.text ?? null) : null;
}

function atPath(text: string, pathText: string): PgText {
  const path = parseArrayElements(pathText);
  if (path.includes(null)) return null;
  const start = skipSpace(text, 0);
  const whole = text.slice(start, endOf(text, start));
  if (path.length === 0 && whole !== text && partsOf(text) === null) notReproduced('white space around json');
  let at: PgText = whole;
  for (const step of path) {
    if (at === null || step === null) return null;
    const index = pathIndex(step);
    at = isArray(at) ? (index === null ? null : element(at, index)) : member(at, step);
  }
  return at;
}

/** A string without quotes and escapes; null for JSON's null. */
export function plain(value: PgText): PgText {
  if (value === null) return null;
  const text = value.trim();
  if (text === 'null') return null;
  if (!text.startsWith('"')) return value;
  return text.includes('\\u') ? notReproduced('escapes of characters in json') : readString(text);
}

const KINDS: Readonly<Record<string, string>> = {
  '{': 'object',
  '[': 'array',
  '"': 'string',
  t: 'boolean',
  f: 'boolean',
  n: 'null',
};

function typeName(text: string): string {
  return KINDS[text[skipSpace(text, 0)] ?? ''] ?? 'number';
}

function arrayLength(text: string): string {
  return isArray(text) ? String(partsOf(text)?.length ?? 0) : raise(INVALID_PARAMETER);
}

export const FUNCTIONS: Family = {
  ...strict('json', {
    json_object_field: member,
    json_array_element: (text, index) => element(text, Number(index)),
    json_extract_path: atPath,
  }),
  ...strict('text', {
    json_object_field_text: (text, name) => plain(member(text, name)),
    json_array_element_text: (text, index) => plain(element(text, Number(index))),
    json_extract_path_text: (text, path) => plain(atPath(text, path)),
    json_typeof: typeName,
    json_out: (text) => text,
  }),
  ...strict('int4', { json_array_length: arrayLength }),
};
