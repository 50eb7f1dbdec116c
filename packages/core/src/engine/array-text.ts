import type { PgText } from '../value.js';

/**
 * Reads the elements of a one-dimensional array in Postgres's text form (`{1,NULL,"a,\"b"}`), flattening
 * further dimensions, which is what `= ANY` does. (Postgres manual, "Array Input and Output Syntax".)
 */
export function parseArrayElements(text: string): PgText[] {
  const elements: PgText[] = [];
  let index = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  while (index < text.length) {
    const char = text[index];
    if (char === '{' || char === '}' || char === ',') {
      index++;
    } else if (char === '"') {
      const end = quotedEnd(text, index + 1);
      elements.push(text.slice(index + 1, end).replace(/\\(.)/gs, '$1'));
      index = end + 1;
    } else {
      let end = index;
      while (end < text.length && text[end] !== ',' && text[end] !== '}') end++;
      const bare = text.slice(index, end);
      elements.push(bare === 'NULL' ? null : bare);
      index = end;
    }
  }
  return elements;
}

function quotedEnd(text: string, from: number): number {
  let index = from;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
}
