import { parseArrayElements } from '../engine/array-text.js';
import { parseArray } from './array-value.js';
import { INVALID_PARAMETER, INVALID_TEXT, notReproduced, raise } from './errors.js';
import { parseNode, pathIndex, printNode, type JsonNode, type JsonObject } from './json-node.js';

/** What changes a `jsonb`: parts taken out, put in, put together. Nodes are parsed for the occasion and changed in place. */
type Container = JsonNode[] | JsonObject;

const SUBSCRIPT_ERROR = '2202E';

export const isScalar = (node: JsonNode): boolean => !Array.isArray(node) && !(node instanceof Map);

/** A scalar at the root counts as an array of itself. */
export function rootItems(node: JsonNode): readonly JsonNode[] {
  return Array.isArray(node) ? node : [node];
}

function containerOf(text: string): Container {
  const node = parseNode(text);
  return Array.isArray(node) || node instanceof Map ? node : raise(INVALID_PARAMETER);
}

function sizeOf(node: Container): number {
  return Array.isArray(node) ? node.length : node.size;
}

export function concatenate(left: string, right: string): string {
  const a = parseNode(left);
  const b = parseNode(right);
  if (a instanceof Map && b instanceof Map) return printNode(new Map([...a, ...b]));
  if ((a instanceof Map && isScalar(b)) || (b instanceof Map && isScalar(a))) {
    notReproduced('an object and a scalar put together');
  }
  return printNode([...rootItems(a), ...rootItems(b)]);
}

export function without(text: string, names: readonly string[]): string {
  const node = containerOf(text);
  if (Array.isArray(node)) {
    return printNode(node.filter((item) => typeof item !== 'string' || !names.includes(item)));
  }
  for (const name of names) node.delete(name);
  return printNode(node);
}

export function withoutAll(text: string, names: string): string {
  if (parseArray(names).lengths.length > 1) raise(SUBSCRIPT_ERROR);
  return without(
    text,
    parseArrayElements(names).filter((name) => name !== null),
  );
}

export function withoutIndex(text: string, index: number): string {
  const node = containerOf(text);
  if (!Array.isArray(node)) raise(INVALID_PARAMETER);
  const at = index < 0 ? node.length + index : index;
  return printNode(node.filter((_item, position) => position !== at));
}

function pathOf(text: string): string[] {
  if (parseArray(text).lengths.length > 1) notReproduced('a path of several dimensions');
  return parseArrayElements(text).map((step) => step ?? notReproduced('a path with a null'));
}

export function withoutPath(text: string, pathText: string): string {
  const node = containerOf(text);
  const path = pathOf(pathText);
  if (sizeOf(node) > 0) removeAt(node, path);
  return printNode(node);
}

/** Where in an array a step leads; negative steps count from its end. */
function position(node: readonly JsonNode[], step: string): number {
  const index = pathIndex(step) ?? raise(INVALID_TEXT);
  return index < 0 ? node.length + index : index;
}

function removeAt(node: JsonNode | undefined, path: readonly string[]): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (node instanceof Map) {
    if (rest.length === 0) node.delete(step);
    else removeAt(node.get(step), rest);
  } else if (Array.isArray(node)) {
    const at = position(node, step);
    if (at < 0 || at >= node.length) return;
    if (rest.length === 0) node.splice(at, 1);
    else removeAt(node[at], rest);
  }
}

/** With a value put at a path; where nothing is yet, only as the path's last step. */
export function withValue(text: string, pathText: string, value: string, create: string): string {
  const node = containerOf(text);
  const path = pathOf(pathText);
  if (sizeOf(node) > 0 || create === 't') putAt(node, path, parseNode(value), create === 't');
  return printNode(node);
}

function putAt(node: JsonNode | undefined, path: readonly string[], value: JsonNode, create: boolean): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (node instanceof Map) {
    if (rest.length > 0) putAt(node.get(step), rest, value, create);
    else if (create || node.has(step)) node.set(step, value);
  } else if (Array.isArray(node)) {
    const at = position(node, step);
    if (rest.length > 0) putAt(node[at], rest, value, create);
    else if (at >= 0 && at < node.length) node[at] = value;
    else if (create && at < 0) node.unshift(value);
    else if (create) node.push(value);
  }
}

/** Members that are null go, at every depth; null elements of arrays stay. */
export function withoutNulls(node: JsonNode): JsonNode {
  if (Array.isArray(node)) return node.map(withoutNulls);
  if (!(node instanceof Map)) return node;
  const kept = [...node].filter(([, value]) => value !== null);
  return new Map(kept.map(([name, value]) => [name, withoutNulls(value)]));
}
