import pg from 'pg';

export function quoteIdentifier(name: string): string {
  return pg.escapeIdentifier(name);
}

/** For SQL, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  return pg.escapeLiteral(text);
}
