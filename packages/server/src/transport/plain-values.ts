import { decoderFor, type BoundedArray, type Value } from '@sluice/core/decode';
import { propertyNames } from '@sluice/core/row-decoder';
import type { DecoderKind, ScalarDecoderKind, Shape } from '@sluice/core/shape';
import type { Row } from '@sluice/core/value';

/*
 * Rows as JSON for the plain forms: nothing is lost, and nothing needs a decoder.
 *
 *   boolean               true, false
 *   smallint, integer     number
 *   real, double          number, in Postgres's digits; "NaN", "Infinity", "-Infinity" as strings
 *   json, jsonb           as it is: every digit survives
 *   arrays of these       arrays; as text when the indexes do not start at 1
 *   everything else       the text that Postgres prints: "9007199254740993", "12.50", "2024-02-29 12:00:00.000001"
 */
export function rowPrinter(shape: Shape): (row: Row) => string {
  const names = propertyNames(shape);
  const columns = shape.columns.map(({ decoder, type }, i) => ({
    name: `${JSON.stringify(names[i])}:`,
    print: printer(decoder, type),
  }));
  return (row) => {
    const members = columns.map(({ name, print }, i) => {
      const value = row[i] ?? null;
      return name + (value === null ? 'null' : print(value));
    });
    return `{${members.join(',')}}`;
  };
}

type Print = (text: string) => string;

function printer(decoder: DecoderKind, type: string): Print {
  if (!decoder.startsWith('array:')) return SCALARS[decoder as ScalarDecoderKind];
  const element = SCALARS[decoder.slice('array:'.length) as ScalarDecoderKind];
  const read = decoderFor('array:text', type);
  return (text) => {
    const array = read(text) as BoundedArray;
    return array.lowerBounds === undefined ? printArray(array, element) : JSON.stringify(text);
  };
}

function printArray(array: readonly Value[], element: Print): string {
  const items = array.map((item) => {
    if (item === null) return 'null';
    return typeof item === 'string' ? element(item) : printArray(item as readonly Value[], element);
  });
  return `[${items.join(',')}]`;
}

const text: Print = (value) => JSON.stringify(value);

const SCALARS: Readonly<Record<ScalarDecoderKind, Print>> = {
  boolean: (value) => (value === 't' ? 'true' : 'false'),
  integer: (value) => value,
  float: (value) => (/^-?\d/.test(value) ? value : JSON.stringify(value)),
  // Line breaks stand only between tokens; in an event stream they would end the line.
  json: (value) => value.replace(/[\r\n]/g, ' '),
  bigint: text,
  bytes: text,
  text,
};
