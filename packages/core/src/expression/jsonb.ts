import { JsonNumber } from '../json.js';
import { parseArrayElements } from '../engine/array-text.js';
import { parseArray } from './array-value.js';
import type { PgText } from '../value.js';
import { INVALID_PARAMETER, INVALID_TEXT, notReproduced, raise } from './errors.js';
import {
  canonicalJson,
  compareJsonb,
  equalNodes,
  jsonbKey,
  parseNode,
  printNode,
  type JsonNode,
} from './json-node.js';
import { constrainInteger, constrainJsonNumber } from './jsonb-casts.js';
import { comparisons, strict, tests, type Family } from './registry.js';

/** The last value taken apart is remembered: one row's column is mostly asked for several of its members. */
function remembering(): (text: string) => JsonNode {
  let lastText: string | null = null;
  let last: JsonNode = null;
  return (text) => {
    if (text !== lastText) {
      last = parseNode(text);
      lastText = text;
    }
    return last;
  };
}

const nodeOf = remembering();

function asJson(node: JsonNode | undefined): PgText {
  return node === undefined ? null : printNode(node);
}

/** A string without its quotes; null for JSON's null. */
function asPlain(node: JsonNode | undefined): PgText {
  if (node === undefined || node === null) return null;
  return typeof node === 'string' ? node : printNode(node);
}

function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node instanceof Map ? node.get(name) : undefined;
}

const INT4 = 2 ** 31;

/** As C's `strtol` takes it. */
export function pathIndex(step: string): number | null {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(step)) return null;
  const value = Number(step);
  return value >= -INT4 && value < INT4 ? value : null;
}

function atPath(node: JsonNode, pathText: string): JsonNode | undefined {
  const path = parseArrayElements(pathText);
  if (path.includes(null)) return undefined;
  let at: JsonNode | undefined = node;
  for (const step of path) {
    const index = pathIndex(step ?? '');
    at = Array.isArray(at) ? (index === null ? undefined : at.at(index)) : member(at, step ?? '');
  }
  return at;
}

/** A scalar at the root counts as an array of itself. */
function rootItems(node: JsonNode): readonly JsonNode[] {
  return Array.isArray(node) ? node : [node];
}

function rootElement(text: string, index: string): JsonNode | undefined {
  const node = nodeOf(text);
  return node instanceof Map ? undefined : rootItems(node).at(Number(index));
}

function exists(text: string, name: string): boolean {
  const node = nodeOf(text);
  return node instanceof Map ? node.has(name) : rootItems(node).includes(name);
}

/** An array of one dimension, as it must be here. */
function flat(names: string): string {
  return parseArray(names).lengths.length > 1 ? raise('2202E') : names;
}

function present(names: string): string[] {
  return parseArrayElements(names).filter((name): name is string => name !== null);
}

const isScalar = (node: JsonNode): boolean => !Array.isArray(node) && !(node instanceof Map);

/** Whether the left holds the right's structure and values. (jsonb_util.c, `JsonbDeepContains`) */
function contains(left: string, right: string): boolean {
  const a = parseNode(left);
  const b = parseNode(right);
  if (a instanceof Map !== b instanceof Map) return false;
  if (isScalar(b)) return rootItems(a).some((item) => isScalar(item) && equalNodes(item, b));
  return isScalar(a) ? false : holds(a, b);
}

function holds(a: JsonNode, b: JsonNode): boolean {
  if (a instanceof Map && b instanceof Map) {
    if (a.size < b.size) return false;
    return [...b].every(([name, value]) => {
      const mine = a.get(name);
      return mine !== undefined && holds(mine, value);
    });
  }
  if (Array.isArray(a) && Array.isArray(b)) return b.every((wanted) => a.some((item) => holds(item, wanted)));
  return isScalar(a) && isScalar(b) && equalNodes(a, b);
}

function concatenate(left: string, right: string): string {
  const a = parseNode(left);
  const b = parseNode(right);
  if (a instanceof Map && b instanceof Map) return printNode(new Map([...a, ...b]));
  if ((a instanceof Map && isScalar(b)) || (b instanceof Map && isScalar(a))) {
    notReproduced('an object and a scalar put together');
  }
  return printNode([...rootItems(a), ...rootItems(b)]);
}

function assureContainer(node: JsonNode): Exclude<JsonNode, string | null | boolean | JsonNumber> {
  return Array.isArray(node) || node instanceof Map ? node : raise(INVALID_PARAMETER);
}

function without(text: string, names: readonly string[]): string {
  const node = assureContainer(parseNode(text));
  if (Array.isArray(node)) {
    return printNode(node.filter((item) => typeof item !== 'string' || !names.includes(item)));
  }
  for (const name of names) node.delete(name);
  return printNode(node);
}

function withoutIndex(text: string, index: number): string {
  const node = assureContainer(parseNode(text));
  if (!Array.isArray(node)) raise(INVALID_PARAMETER);
  const at = index < 0 ? node.length + index : index;
  return printNode(node.filter((_item, position) => position !== at));
}

function withoutPath(text: string, pathText: string): string {
  const node = assureContainer(parseNode(text));
  const path = parseArrayElements(pathText);
  if (path.includes(null)) notReproduced('a path with a null');
  const size = Array.isArray(node) ? node.length : node.size;
  if (size > 0) removeAt(node, path as string[]);
  return printNode(node);
}

function removeAt(node: JsonNode | undefined, path: readonly string[]): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (node instanceof Map) {
    if (rest.length === 0) node.delete(step);
    else removeAt(node.get(step), rest);
  } else if (Array.isArray(node)) {
    const index = pathIndex(step) ?? raise(INVALID_TEXT);
    const at = index < 0 ? node.length + index : index;
    if (at < 0 || at >= node.length) return;
    if (rest.length === 0) node.splice(at, 1);
    else removeAt(node[at], rest);
  }
}

export function typeName(node: JsonNode): string {
  if (node === null) return 'null';
  if (node instanceof JsonNumber) return 'number';
  if (Array.isArray(node)) return 'array';
  return node instanceof Map ? 'object' : typeof node;
}

function arrayLength(text: string): string {
  const node = nodeOf(text);
  return Array.isArray(node) ? String(node.length) : raise(INVALID_PARAMETER);
}

/** A subscript: the member of an object, the element of an array. */
function subscript(text: string, ...steps: string[]): PgText {
  let node: JsonNode | undefined = nodeOf(text);
  for (const step of steps) {
    const index = pathIndex(step);
    node = Array.isArray(node) ? (index === null ? undefined : node.at(index)) : member(node, step);
  }
  return asJson(node);
}

export const JSONB: Family = {
  ...comparisons('jsonb_', compareJsonb),
  ...tests({
    jsonb_eq: (a, b) => a === b || jsonbKey(a) === jsonbKey(b),
    jsonb_ne: (a, b) => a !== b && jsonbKey(a) !== jsonbKey(b),
    jsonb_exists: exists,
    jsonb_exists_any: (text, names) => present(names).some((name) => exists(text, name)),
    jsonb_exists_all: (text, names) => present(names).every((name) => exists(text, name)),
    jsonb_contains: contains,
    jsonb_contained: (a, b) => contains(b, a),
    jsonb_bool: (text) => constrainJsonNumber(text, 'boolean') === 'true',
  }),
  ...strict('jsonb', {
    jsonb_object_field: (text, name) => asJson(member(nodeOf(text), name)),
    jsonb_array_element: (text, index) => asJson(rootElement(text, index)),
    jsonb_extract_path: (text, path) => asJson(atPath(nodeOf(text), path)),
    jsonb_subscript_handler: subscript,
    jsonb_concat: concatenate,
    jsonb_delete: (text, name) => without(text, [name]),
    jsonb_delete_array: (text, names) => without(text, present(flat(names))),
    jsonb_delete_idx: (text, index) => withoutIndex(text, Number(index)),
    jsonb_delete_path: withoutPath,
    jsonb_in: canonicalJson,
  }),
  ...strict('text', {
    jsonb_object_field_text: (text, name) => asPlain(member(nodeOf(text), name)),
    jsonb_array_element_text: (text, index) => asPlain(rootElement(text, index)),
    jsonb_extract_path_text: (text, path) => asPlain(atPath(nodeOf(text), path)),
    jsonb_typeof: (text) => typeName(nodeOf(text)),
    jsonb_out: (text) => text,
  }),
  ...strict('int4', { jsonb_array_length: arrayLength, jsonb_int4: constrainInteger(32n) }),
  ...strict('int2', { jsonb_int2: constrainInteger(16n) }),
  ...strict('int8', { jsonb_int8: constrainInteger(64n) }),
  ...strict('numeric', { jsonb_numeric: (text) => constrainJsonNumber(text, 'number') }),
};
