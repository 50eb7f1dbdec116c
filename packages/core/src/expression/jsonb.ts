import { JsonNumber } from '../json.js';
import { parseArrayElements } from '../engine/array-text.js';
import type { PgText } from '../value.js';
import { INVALID_PARAMETER, notReproduced, raise } from './errors.js';
import {
  canonicalJson,
  compareJsonb,
  equalNodes,
  jsonbKey,
  parseNode,
  pathIndex,
  printNode,
  type JsonNode,
} from './json-node.js';
import {
  concatenate,
  isScalar,
  rootItems,
  without,
  withoutAll,
  withoutIndex,
  withoutNulls,
  withoutPath,
  withValue,
} from './jsonb-change.js';
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

function rootElement(text: string, index: string): JsonNode | undefined {
  const node = nodeOf(text);
  return node instanceof Map ? undefined : rootItems(node).at(Number(index));
}

function exists(text: string, name: string): boolean {
  const node = nodeOf(text);
  return node instanceof Map ? node.has(name) : rootItems(node).includes(name);
}

function present(names: string): string[] {
  return parseArrayElements(names).filter((name): name is string => name !== null);
}

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
    jsonb_delete_array: withoutAll,
    jsonb_delete_idx: (text, index) => withoutIndex(text, Number(index)),
    jsonb_delete_path: withoutPath,
    jsonb_set: withValue,
    jsonb_strip_nulls: (text, inArrays) =>
      inArrays === 't'
        ? notReproduced('nulls taken out of arrays')
        : printNode(withoutNulls(parseNode(text))),
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
