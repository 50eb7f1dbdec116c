import type { ValueType } from '../plan.js';
import { lowering } from './casing.js';
import { characters } from './characters.js';
import { notReproduced, raise } from './errors.js';
import { strict, typedTests, type Family } from './registry.js';

/**
 * LIKE, by code points: `%` is any text, `_` one character, a backslash takes the next character as it is. The
 * pattern is taken apart once at its percent signs; the first piece must match at the beginning, the last at the
 * end, those between one after the other as early as possible.
 */
type Matcher = (text: string) => boolean;

const ANY_ONE = Symbol('any character');
type Piece = readonly (string | typeof ANY_ONE)[];

/** Makes matchers and remembers the last, since a pattern is mostly a parameter. */
function matching(): (text: string, pattern: string) => boolean {
  let lastPattern: string | null = null;
  let last: Matcher = () => false;
  return (text, pattern) => {
    if (pattern !== lastPattern) {
      last = matcher(pattern);
      lastPattern = pattern;
    }
    return last(text);
  };
}

/** @throws NotReproduced for a pattern that ends in its escape: whether that is an error depends on the text */
function matcher(pattern: string): Matcher {
  const pieces = piecesOf(pattern);
  const [first = [], ...others] = pieces;
  const lastPiece = others.pop();
  const wildcards = pieces.some((piece) => piece.includes(ANY_ONE));
  if (!wildcards) return literal(pieces.map((piece) => piece.join('')));
  return (text) => {
    const units = characters(text);
    if (!matchesAt(units, first, 0)) return false;
    if (lastPiece === undefined) return units.length === first.length;
    let from = first.length;
    for (const piece of others) {
      while (from + piece.length <= units.length && !matchesAt(units, piece, from)) from++;
      from += piece.length;
      if (from > units.length) return false;
    }
    const end = units.length - lastPiece.length;
    return end >= from && matchesAt(units, lastPiece, end);
  };
}

function literal(pieces: readonly string[]): Matcher {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false;
    let from = first.length;
    for (const piece of others) {
      const found = text.indexOf(piece, from);
      if (found < 0) return false;
      from = found + piece.length;
    }
    return from <= text.length - last.length;
  };
}

function matchesAt(units: string | readonly string[], piece: Piece, at: number): boolean {
  if (at + piece.length > units.length) return false;
  for (let index = 0; index < piece.length; index++) {
    const wanted = piece[index];
    if (wanted !== ANY_ONE && wanted !== units[at + index]) return false;
  }
  return true;
}

function piecesOf(pattern: string): Piece[] {
  const pieces: (string | typeof ANY_ONE)[][] = [[]];
  const units = Array.from(pattern);
  for (let index = 0; index < units.length; index++) {
    const unit = units[index] ?? '';
    if (unit === '%') pieces.push([]);
    else if (unit === '_') pieces.at(-1)?.push(ANY_ONE);
    else if (unit === '\\') {
      index++;
      pieces.at(-1)?.push(units[index] ?? notReproduced('a LIKE pattern that ends in its escape'));
    } else pieces.at(-1)?.push(unit);
  }
  return pieces;
}

const INVALID_ESCAPE = '22025';

/** The pattern with a backslash where it had another escape character. (like_support, `like_escape`) */
function withEscape(pattern: string, escape: string): string {
  const escapes = Array.from(escape);
  if (escapes.length > 1) raise(INVALID_ESCAPE);
  if (escape === '') return pattern.replaceAll('\\', '\\\\');
  if (escape === '\\') return pattern;
  let result = '';
  let escaped = false;
  for (const unit of pattern) {
    if (unit === escape && !escaped) {
      result += '\\';
      escaped = true;
    } else {
      result += unit === '\\' && !escaped ? '\\\\' : unit;
      escaped = false;
    }
  }
  return result;
}

/** Cased and then matched, as Postgres does it. */
function caseless(types: readonly ValueType[]): (text: string, pattern: string) => boolean {
  const lower = lowering(types);
  const matches = matching();
  return (text, pattern) => matches(lower(text), lower(pattern));
}

function not(
  matches: (text: string, pattern: string) => boolean,
): (text: string, pattern: string) => boolean {
  return (text, pattern) => !matches(text, pattern);
}

export const FUNCTIONS: Family = {
  ...typedTests({
    textlike: matching,
    textnlike: () => not(matching()),
    texticlike: caseless,
    texticnlike: (types) => not(caseless(types)),
  }),
  ...strict('text', { like_escape: withEscape }),
};
