import { JsonNumber } from '../json.js';
import type { RowField, ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { notReproduced } from './errors.js';
import { nameWriter, pairs, writerOf } from './json-build.js';
import { canonicalJson, parseNode, printNode, type JsonNode, type JsonObject } from './json-node.js';
import { readNumeric } from './numeric.js';
import { loose, stable, typed, type Family } from './registry.js';
import { parseRow } from './row-text.js';

/** As `jsonb`: numbers in full digits. */
function nodeWriter(type: ValueType | undefined): (value: string) => JsonNode {
  const write = writerOf(type);
  if (type?.kind === 'json') return (value) => parseNode(canonicalJson(value));
  if (type?.kind === 'row') return rowNodeWriter(type.fields);
  if (type?.kind === 'array' && (type.element.kind === 'json' || type.element.kind === 'row'))
    return notReproduced('an array of json or of rows');
  return (value) => inFull(parseNode(write(value)));
}

function rowNodeWriter(fields: readonly RowField[]): (value: string) => JsonNode {
  const writers = fields.map(({ name, type }) => [name, nodeOrNull(nodeWriter(type))] as const);
  return (value) => {
    const values = parseRow(value);
    return new Map(writers.map(([name, write], at) => [name, write(values[at] ?? null)]));
  };
}

function inFull(node: JsonNode): JsonNode {
  if (node instanceof JsonNumber) return new JsonNumber(readNumeric(node.text));
  if (Array.isArray(node)) return node.map(inFull);
  if (node instanceof Map) return new Map([...node].map(([name, value]) => [name, inFull(value)]));
  return node;
}

const nodeOrNull = (write: (value: string) => JsonNode) => (value: PgText) =>
  value === null ? null : write(value);

function buildObjectb(types: readonly ValueType[]): (...args: PgText[]) => string {
  const writers = pairs(types).map(
    ([name, value]) => [nameWriter(name), nodeOrNull(nodeWriter(value))] as const,
  );
  return (...args) => {
    const object: JsonObject = new Map();
    writers.forEach(([name, value], index) => {
      object.set(JSON.parse(name(args[index * 2] ?? null)) as string, value(args[index * 2 + 1] ?? null));
    });
    return printNode(object);
  };
}

function buildArrayb(types: readonly ValueType[]): (...args: PgText[]) => string {
  const writers = types.map((type) => nodeOrNull(nodeWriter(type)));
  return (...args) => printNode(writers.map((write, index) => write(args[index] ?? null)));
}

export const FUNCTIONS: Family = stable({
  ...typed('jsonb', {
    to_jsonb: ([type]) => {
      const write = nodeWriter(type);
      return (value) => printNode(write(value));
    },
  }),
  ...loose('jsonb', {
    jsonb_build_object: buildObjectb,
    jsonb_build_array: buildArrayb,
  }),
});
