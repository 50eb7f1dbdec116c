import { JsonNumber } from '../json.js';
import { compareAscii, compareBytes, compareDecimal, normaliseDecimal } from '../engine/compare-text.js';
import { byteLength } from './characters.js';
import { printDecimal, readNumber } from './decimal.js';
import { notReproduced } from './errors.js';
import { printString } from './json-string.js';

/** JSON as `jsonb` has it: numbers by their digits, members of an object in Postgres's order once printed. */
export type JsonNode = null | boolean | string | JsonNumber | JsonNode[] | JsonObject;
export type JsonObject = Map<string, JsonNode>;

/** Deeper JSON is left to Postgres: it may be nested deeper than our call stack. */
const DEPTH_MAX = 500;

const TOKEN = /[\s,:]*([{}[\]]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:{}[\]"]+)/y;

type Token = () => string;

/** @param text valid JSON, as every value of a json or jsonb column is */
export function parseNode(text: string): JsonNode {
  let at = 0;
  const next: Token = () => {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[1] ?? notReproduced('text that is no JSON');
    at = TOKEN.lastIndex;
    return token;
  };
  return readNode(next(), next, 0);
}

function readNode(token: string, next: Token, depth: number): JsonNode {
  if (depth > DEPTH_MAX) notReproduced('deeply nested JSON');
  if (token === '[') {
    const items: JsonNode[] = [];
    for (let item = next(); item !== ']'; item = next()) items.push(readNode(item, next, depth + 1));
    return items;
  }
  if (token === '{') {
    const members: JsonObject = new Map();
    for (let name = next(); name !== '}'; name = next()) {
      members.set(readString(name), readNode(next(), next, depth + 1));
    }
    return members;
  }
  if (token.startsWith('"')) return readString(token);
  if (token === 'null') return null;
  return token === 'true' || token === 'false' ? token === 'true' : new JsonNumber(token);
}

const LONE_OR_ZERO = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** @throws NotReproduced for what no text of Postgres can hold: a zero character, half a surrogate pair */
export function readString(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  const value = JSON.parse(token) as string;
  return LONE_OR_ZERO.test(value) ? notReproduced('this escape in JSON') : value;
}

/** The text of a `jsonb`: members by the length of their names in bytes, then by their bytes. */
export function printNode(node: JsonNode, printNumber: (text: string) => string = (text) => text): string {
  if (node === null || typeof node === 'boolean') return String(node);
  if (typeof node === 'string') return printString(node);
  if (node instanceof JsonNumber) return printNumber(node.text);
  if (Array.isArray(node)) return `[${node.map((item) => printNode(item, printNumber)).join(', ')}]`;
  const members = sortedMembers(node).map(
    ([name, value]) => `${printString(name)}: ${printNode(value, printNumber)}`,
  );
  return `{${members.join(', ')}}`;
}

export function sortedMembers(object: JsonObject): [string, JsonNode][] {
  return [...object].toSorted(([a], [b]) => byteLength(a) - byteLength(b) || compareBytes(a, b));
}

/** JSON text as `jsonb` takes it in. @throws NotReproduced for text that is no JSON */
export function canonicalJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    notReproduced('text that is no JSON, or too deep');
  }
  return printNode(parseNode(text), canonicalNumber);
}

function canonicalNumber(text: string): string {
  return printDecimal(readNumber(text) ?? notReproduced('a JSON number this large'));
}

/** Text that is the same for equal values: numbers without their trailing zeros. */
export function jsonbKey(text: string): string {
  return text.includes('.') ? printNode(parseNode(text), normaliseDecimal) : text;
}

export function equalNodes(a: JsonNode, b: JsonNode): boolean {
  return printNode(a, normaliseDecimal) === printNode(b, normaliseDecimal);
}

/** The order of two `jsonb`. (jsonb_util.c, `compareJsonbContainers`) */
export function compareJsonb(left: string, right: string): number {
  if (jsonbKey(left) === jsonbKey(right)) return 0;
  const a = parseNode(left);
  const b = parseNode(right);
  return compareRoots(a, b) ?? compareNodes(a, b);
}

/** A scalar at the root is held as an array of one: so an empty array is below it, any other array above. */
function compareRoots(a: JsonNode, b: JsonNode): number | null {
  if (Array.isArray(a) === Array.isArray(b) || rank(a) === 5 || rank(b) === 5) return null;
  if (Array.isArray(a)) return a.length === 0 ? -1 : 1;
  return Array.isArray(b) && b.length === 0 ? 1 : -1;
}

function rank(node: JsonNode): number {
  if (node === null) return 0;
  if (typeof node === 'string') return 1;
  if (node instanceof JsonNumber) return 2;
  if (typeof node === 'boolean') return 3;
  return Array.isArray(node) ? 4 : 5;
}

function compareNodes(a: JsonNode, b: JsonNode): number {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof JsonNumber && b instanceof JsonNumber) return compareDecimal(a.text, b.text);
  if (Array.isArray(a) && Array.isArray(b)) return a.length - b.length || compareLists(a, b);
  if (a instanceof Map && b instanceof Map) {
    return a.size - b.size || compareLists(sortedMembers(a).flat(), sortedMembers(b).flat());
  }
  return rank(a) - rank(b);
}

function compareLists(a: readonly JsonNode[], b: readonly JsonNode[]): number {
  for (const [index, item] of a.entries()) {
    const order = compareNodes(item, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

/** Postgres orders them by the database's collation, which is not known here. */
function compareStrings(a: string, b: string): number {
  return a === b ? compareAscii(a, b) : notReproduced('the order of strings in jsonb');
}

const INT4 = 2 ** 31;

/** As C's `strtol` takes it. */
export function pathIndex(step: string): number | null {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(step)) return null;
  const value = Number(step);
  return value >= -INT4 && value < INT4 ? value : null;
}
