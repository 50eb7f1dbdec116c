import { asText, decoderFor, type Value } from './decode.js';
import { fieldsDecoder } from './fields.js';
import { setOwn } from './json.js';
import type { Shape } from './shape.js';
import type { PgText, Row } from './value.js';

/** `values: 'text'` gives every value as Postgres prints it. */
export type ValueMode = 'decoded' | 'text';

/** Makes the objects of a view's rows: plain, with own properties only. `text` ignores the shape's fields. */
export function rowDecoder(shape: Shape, mode: ValueMode): (row: Row) => Record<string, Value> {
  if (mode === 'decoded' && shape.fields !== undefined) return fieldsDecoder(shape, shape.fields);
  const names = propertyNames(shape);
  const decoders = shape.columns.map((column) =>
    mode === 'text' ? asText : decoderFor(column.decoder, column.type),
  );
  return (row) => {
    const object: Record<string, Value> = {};
    for (let index = 0; index < names.length; index++) {
      const text: PgText = row[index] ?? null;
      const decode = decoders[index] ?? asText;
      setOwn(object, names[index] ?? '', text === null ? null : decode(text));
    }
    return object;
  };
}

/** One property for each column. A name that occurs again gets `_2`, `_3`, …: the first such that is free. */
export function propertyNames(shape: Shape): readonly string[] {
  const given = new Set(shape.columns.map((column) => column.name));
  const taken = new Set<string>();
  return shape.columns.map(({ name }) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) {
      const candidate = `${name}_${number}`;
      if (!given.has(candidate)) free = candidate;
    }
    taken.add(free);
    return free;
  });
}
