import type { DecoderKind, Shape } from '@sluice/core/shape';
import type { PgText, Row } from '@sluice/core/value';

/*
 * Rows as JSON for the plain forms: nothing is lost, and nothing needs a decoder.
 *
 *   boolean               true, false
 *   smallint, integer     number
 *   real, double          number, in Postgres's digits; "NaN", "Infinity", "-Infinity" as strings
 *   json, jsonb           as it is: every digit survives
 *   everything else       the text that Postgres prints: "9007199254740993", "12.50", "2024-02-29 12:00:00.000001"
 */
export function rowPrinter(shape: Shape): (row: Row) => string {
  const columns = shape.columns.map(({ name, decoder }) => ({
    name: `${JSON.stringify(name)}:`,
    print: printer(decoder),
  }));
  return (row) => {
    const members = columns.map(({ name, print }, i) => name + printValue(row[i] ?? null, print));
    return `{${members.join(',')}}`;
  };
}

type Print = (text: string) => string;

function printValue(value: PgText, print: Print): string {
  return value === null ? 'null' : print(value);
}

function printer(decoder: DecoderKind): Print {
  switch (decoder) {
    case 'boolean':
      return (text) => (text === 't' ? 'true' : 'false');
    case 'integer':
      return (text) => text;
    case 'float':
      return (text) => (/^-?\d/.test(text) ? text : JSON.stringify(text));
    case 'json':
      // Line breaks stand only between tokens; in an event stream they would end the line.
      return (text) => text.replace(/[\r\n]/g, ' ');
    default:
      return (text) => JSON.stringify(text);
  }
}
