import type { PgText } from '../value.js';
import { notReproduced } from './errors.js';

const FIELD = /("(?:[^"\\]|""|\\.)*"|[^,()"]*)([,)])/sy;

/** The fields of a row value. @param text as `printRow` makes it */
export function parseRow(text: string): readonly PgText[] {
  const fields: PgText[] = [];
  if (text === '()') return fields;
  for (let at = 1; at < text.length;) {
    FIELD.lastIndex = at;
    const [, field = ''] = FIELD.exec(text) ?? notReproduced('text that is no row');
    fields.push(field === '' ? null : field.startsWith('"') ? unquoted(field) : field);
    at = FIELD.lastIndex;
  }
  return fields;
}

function unquoted(field: string): string {
  return field.slice(1, -1).replace(/(["\\])(.)/gs, '$2');
}
