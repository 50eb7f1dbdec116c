/**
 * JSON whose numbers keep every digit. Postgres's `json` and `jsonb` hold decimal numbers of any length; a
 * JavaScript number holds about 16 digits. A number that a double carries unharmed becomes a `number`; any other
 * becomes a `JsonNumber`, which keeps its text.
 */
export type JsonValue =
  | boolean
  | number
  | string
  | null
  | JsonNumber
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A number from JSON that no double can carry: `12345678901234567890`, `0.1234567890123456789`, `1e400`. */
export class JsonNumber {
  /** As Postgres prints it. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The exact digits. */
  toString(): string {
    return this.text;
  }

  /** `JSON.stringify` writes the digits as a string: the only way not to lose any. */
  toJSON(): string {
    return this.text;
  }
}

/** Sixteen digits in a row, points included, or an exponent: only such text can hold a number that a double harms. */
const SUSPECT = /\d[\d.]{15}|\d[eE]/;

/** @throws SyntaxError when the text is no JSON. */
export function parseJson(text: string): JsonValue {
  const value = JSON.parse(text) as JsonValue;
  return SUSPECT.test(text) ? new ExactParser(text).parse() : value;
}

/** Writes JSON; bigint and `JsonNumber` as bare digits. @throws TypeError for what JSON has no word for. */
export function printJson(value: unknown): string {
  if (value instanceof JsonNumber) return value.text;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('not a JSON number');
  if (Array.isArray(value)) return `[${value.map((item) => printJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) return printObject(value);
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`no JSON for a ${typeof value}`);
  return text;
}

function printObject(value: object): string {
  if ('toJSON' in value && typeof value.toJSON === 'function') return printJson(value.toJSON());
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('no JSON for such an object');
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${printJson(item)}`).join(',')}}`;
}

/** Whether the double nearest to a decimal text prints as the same number: `1.50` does, `9007199254740993` does not. */
export function survivesDouble(text: string): boolean {
  const double = Number(text);
  return Number.isFinite(double) && normalDecimal(text) === normalDecimal(String(double));
}

/** Digits without leading and trailing zeros, and the power of ten of the last of them. */
function normalDecimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** One text for all values that are equal as JSON, whatever the order of their members. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`).join(',')}}`;
}

const TOKEN = /[\s,:]*([{}[\]]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:{}[\]]+)/y;

type Container = JsonValue[] | Record<string, JsonValue>;

/**
 * Builds the value of a text that `JSON.parse` has already accepted, numbers by their digits. A loop with a stack
 * of its own: Postgres accepts JSON nested deeper than our call stack.
 */
class ExactParser {
  readonly #text: string;
  readonly #open: { readonly into: Container; name: string | null }[] = [];
  #result: JsonValue = null;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    TOKEN.lastIndex = 0;
    for (let token = TOKEN.exec(this.#text)?.[1]; token !== undefined; token = TOKEN.exec(this.#text)?.[1]) {
      this.#take(token);
    }
    return this.#result;
  }

  #take(token: string): void {
    const top = this.#open.at(-1);
    if (token === '}' || token === ']') this.#open.pop();
    else if (token === '{' || token === '[') this.#enter(token === '{' ? {} : []);
    else if (top && top.name === null && !Array.isArray(top.into)) top.name = JSON.parse(token) as string;
    else this.#put(scalar(token));
  }

  #enter(into: Container): void {
    this.#put(into);
    this.#open.push({ into, name: null });
  }

  #put(value: JsonValue): void {
    const top = this.#open.at(-1);
    if (!top) this.#result = value;
    else if (Array.isArray(top.into)) top.into.push(value);
    else {
      setOwn(top.into, top.name ?? '', value);
      top.name = null;
    }
  }
}

function scalar(token: string): JsonValue {
  if (!/^[-\d]/.test(token) || survivesDouble(token)) return JSON.parse(token) as JsonValue;
  return new JsonNumber(token);
}

/** Sets a property of the object's own, also one that is called `__proto__`. */
export function setOwn<T>(object: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
