import { analysisError } from './errors.js';

/**
 * Reads what Postgres's `outfuncs.c` writes: the columns of type pg_node_tree. The format describes itself:
 *
 *   {TAG :field value …}   a node                 (a b c)     a list of values
 *   <>                     null                   (i 1 2)     a list of numbers (also o: oids, b: a bitmap set, x: xids)
 *   "a\ b"                 a string in a list     a\ b        a string in a field; both escape with backslashes
 *   4 [ 1 0 0 0 ]          a datum: its length and its bytes, signed; those passed by value take a whole word
 *
 * Nothing here knows any tag or field: what they mean is for the readers above.
 */
export type TreeValue = null | string | TreeNode | TreeDatum | readonly TreeValue[];

export interface TreeNode {
  readonly tag: string;
  readonly fields: ReadonlyMap<string, TreeValue>;
}

/** The bytes of a constant as the server holds them in memory. */
export interface TreeDatum {
  readonly length: number;
  readonly bytes: Uint8Array;
}

export interface TreeLimits {
  /** Nodes and lists within each other. */
  readonly depthMax: number;
  /** Characters of the text. */
  readonly charsMax: number;
}

/** Postgres's own parser gives up at a stack of 2 MB, a few thousand levels; the readers above recurse as deep. */
export const TREE_LIMITS: TreeLimits = { depthMax: 500, charsMax: 4_000_000 };

/** @throws `analysis_unreadable` when the text is not of this form, or passes a limit. */
export function readNodeTree(text: string, limits: TreeLimits = TREE_LIMITS): TreeValue {
  if (text.length > limits.charsMax) throw unreadable(`more than ${limits.charsMax} characters`);
  return new TreeReader(text, limits.depthMax).read();
}

export function isNode(value: TreeValue | undefined): value is TreeNode {
  return typeof value === 'object' && value !== null && 'tag' in value;
}

export function isDatum(value: TreeValue | undefined): value is TreeDatum {
  return typeof value === 'object' && value !== null && 'bytes' in value;
}

export function isList(value: TreeValue | undefined): value is readonly TreeValue[] {
  return Array.isArray(value);
}

const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const QUOTE = 34;
const OPEN = 40;
const CLOSE = 41;
const COLON = 58;
const BACKSLASH = 92;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;

class TreeReader {
  readonly #text: string;
  readonly #depthMax: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, depthMax: number) {
    this.#text = text;
    this.#depthMax = depthMax;
  }

  read(): TreeValue {
    const value = this.#value();
    if (this.#peek() !== -1) throw this.#wrong('more follows');
    return value;
  }

  #value(): TreeValue {
    const next = this.#peek();
    if (next === BRACE_OPEN) return this.#node();
    if (next === OPEN) return this.#list();
    if (next === -1 || next === CLOSE || next === BRACE_CLOSE) throw this.#wrong('a value is missing');
    return this.#scalar();
  }

  #node(): TreeNode {
    this.#enter();
    const tag = this.#word();
    if (!/^[A-Z][A-Z_0-9]*$/.test(tag)) throw this.#wrong('a node without a tag');
    const fields = new Map<string, TreeValue>();
    for (let next = this.#peek(); next !== BRACE_CLOSE; next = this.#peek()) {
      if (next !== COLON) throw this.#wrong(`${tag}: a field is missing`);
      const name = this.#word().slice(1);
      if (fields.has(name)) throw this.#wrong(`${tag}: the field ${name} stands twice`);
      fields.set(name, name === 'constvalue' ? this.#datum() : this.#value());
    }
    this.#leave();
    return { tag, fields };
  }

  #list(): readonly TreeValue[] {
    this.#enter();
    const list: TreeValue[] = [];
    let first = true;
    for (let next = this.#peek(); next !== CLOSE; next = this.#peek()) {
      const start = this.#at;
      const value = this.#value();
      // In other lists a string stands in quotes, so that a bare letter can only say what kind of list it is.
      const kind = first && this.#at === start + 1 && typeof value === 'string' && /^[oibx]$/.test(value);
      if (!kind) list.push(value);
      first = false;
    }
    this.#leave();
    return list;
  }

  #datum(): TreeDatum | null {
    const length = this.#scalar();
    if (length === null) return null;
    if (!/^\d+$/.test(length) || this.#word() !== '[') throw this.#wrong('a constant without bytes');
    const bytes: number[] = [];
    for (let word = this.#word(); word !== ']'; word = this.#word()) {
      const byte = Number(word);
      if (word === '' || !Number.isInteger(byte) || byte < -128 || byte > 255)
        throw this.#wrong('a constant with something other than bytes');
      bytes.push(byte & 0xff);
    }
    return { length: Number(length), bytes: Uint8Array.from(bytes) };
  }

  /** A token as a value: unescaped, without quotes, null for `<>`. */
  #scalar(): string | null {
    const quoted = this.#peek() === QUOTE;
    const start = this.#at;
    const word = this.#word();
    if (!quoted) return word === '<>' && this.#at - start === 2 ? null : word;
    if (word.length < 2 || !word.endsWith('"')) throw this.#wrong('a string without its end');
    return word.slice(1, -1);
  }

  /** The next token, unescaped. */
  #word(): string {
    this.#peek();
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let escaped = false;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH) {
        escaped = true;
        at++;
      } else if (code <= SPACE ? isSpace(code) : isBracket(code)) break;
    }
    if (at > text.length) throw this.#wrong('it ends within an escape');
    this.#at = at;
    const word = text.slice(start, at);
    return escaped ? word.replace(/\\([\s\S])/gu, '$1') : word;
  }

  /** The first character of what follows; -1 at the end. */
  #peek(): number {
    const text = this.#text;
    while (this.#at < text.length && isSpace(text.charCodeAt(this.#at))) this.#at++;
    return this.#at < text.length ? text.charCodeAt(this.#at) : -1;
  }

  #enter(): void {
    this.#at++;
    if (++this.#depth > this.#depthMax) throw unreadable(`nested deeper than ${this.#depthMax}`);
  }

  #leave(): void {
    this.#at++;
    this.#depth--;
  }

  /** Says where, never what stands there: constants are values of users. */
  #wrong(what: string): Error {
    return unreadable(`${what}, at ${this.#at}`);
  }
}

function isSpace(code: number): boolean {
  return code === SPACE || code === NEWLINE || code === TAB;
}

function isBracket(code: number): boolean {
  return code === OPEN || code === CLOSE || code === BRACE_OPEN || code === BRACE_CLOSE;
}

function unreadable(detail: string): Error {
  return analysisError('analysis_unreadable', detail);
}
