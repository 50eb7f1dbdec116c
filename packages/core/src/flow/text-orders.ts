import { must } from '../assert.js';
import { bytesOfValues, ENTRY_BYTES } from '../engine/held-bytes.js';
import { NotReproduced } from '../expression/errors.js';
import type { PgFunction } from '../expression/registry.js';
import type { Functions } from './compile.js';
import { placeOf } from './row-order.js';
import { Unplaced } from './unplaced.js';

/*
 * The order of texts under collations that only Postgres knows: glibc's and ICU's. (C16)
 *
 * A plan orders by tokens of texts: `order_of "schema"."collation"` is a function whose results, ordered by bytes, have
 * the order of the texts, and `text_of …` goes back. A token is given when Postgres has said between which known texts
 * a text stands, and stays what it is: there is always room for another one.
 *
 *     texts     Äpfel      Birne            Zebra
 *     tokens    2rfV       2rfd   ◀─ room ─▶  2rvV        "Cherry" will be 2rmV, or longer
 *
 * Whoever evaluates a text without a token is told that only Postgres knows, and the text is wanted. What is wanted is
 * asked: of some texts, the known ones among them as marks, the order. With 64 marks a text finds its place among a
 * million in four rounds.
 *
 * Texts come and go, and nobody says that a text is not needed any more. So from time to time an heir is made: whoever
 * is there evaluates all that it holds once more over the heir, which takes over what is looked up, with the tokens that
 * it has, and the rest is forgotten. Nothing is asked, and what was ordered stays as it is.
 */

/** What is to be asked of Postgres: the same texts, ordered by the collation. */
export interface OrderQuestion {
  /** As SQL names it, quoted. */
  readonly collation: string;
  readonly texts: readonly string[];
}

export interface TextOrdersOptions {
  /** Texts of each collation. Beyond it no more are placed, and who needs them is left to Postgres. */
  readonly textsMax: number;
  /** So many more than twice those that were in use are kept before an heir is due. Default: 1,000. */
  readonly spareTexts?: number;
}

const SPARE_TEXTS = 1_000;

export class TextOrders {
  /** What the plan's functions do. */
  readonly functions: Functions;
  readonly #options: Required<TextOrdersOptions>;
  readonly #orders: ReadonlyMap<string, TextOrder>;
  #learning = false;

  /**
   * @param collations as the plan's functions name them
   * @param before whose heir it is
   */
  constructor(
    collations: Iterable<string>,
    { textsMax, spareTexts = SPARE_TEXTS }: TextOrdersOptions,
    before: TextOrders | null = null,
  ) {
    this.#options = { textsMax, spareTexts };
    const known = before === null ? null : before.#orders;
    this.#orders = new Map(
      Array.from(collations, (name) => [name, new TextOrder(this.#options, known?.get(name) ?? null)]),
    );
    this.functions = Object.fromEntries(
      Array.from(this.#orders, ([name, order]): [string, PgFunction][] => [
        [ORDER_OF + name, unary((text) => this.#token(order, text))],
        [TEXT_OF + name, unary((token) => order.textOf(token) ?? token)],
      ]).flat(),
    );
  }

  /** The plan orders no texts. */
  get isEmpty(): boolean {
    return this.#orders.size === 0;
  }

  /** Texts that are kept, in use or not. */
  get textCount(): number {
    return this.#sum((order) => order.textCount);
  }

  /** By estimate. */
  get heldBytes(): number {
    return this.#sum((order) => order.bytes);
  }

  /** Texts were placed since it is there: some may not be needed any more. */
  get isGrown(): boolean {
    return this.#any((order) => order.spare > 0);
  }

  /** So many were that an heir is worth the work. */
  get isDue(): boolean {
    return this.#any((order) => order.isDue);
  }

  /** Takes over from this one what is looked up before it is settled, with the same tokens. */
  heir(): TextOrders {
    return new TextOrders(this.#orders.keys(), this.#options, this);
  }

  /** What is not taken over by now is not needed. */
  settle(): void {
    for (const order of this.#orders.values()) order.settle();
  }

  /** What has to be asked now; each is answered before this is asked again. */
  questions(): readonly OrderQuestion[] {
    return [...this.#orders].flatMap(([collation, order]) => {
      const texts = order.question();
      return texts.length === 0 ? [] : [{ collation, texts }];
    });
  }

  /** @param sorted the texts of a question */
  answer(collation: string, sorted: readonly string[]): void {
    must(this.#orders.get(collation), 'a collation that was asked for').answer(sorted);
  }

  learn(work: () => void): void {
    this.#learning = true;
    try {
      work();
    } finally {
      this.#learning = false;
    }
  }

  #sum(of: (order: TextOrder) => number): number {
    return [...this.#orders.values()].reduce((sum, order) => sum + of(order), 0);
  }

  #any(is: (order: TextOrder) => boolean): boolean {
    return [...this.#orders.values()].some(is);
  }

  #token(order: TextOrder, text: string): string {
    const token = order.tokenOf(text);
    if (token !== undefined) return token;
    if (!order.want(text)) throw new NotReproduced('the order of more texts than are kept');
    if (this.#learning) return text;
    throw new Unplaced(this);
  }
}

const ORDER_OF = 'order_of ';
const TEXT_OF = 'text_of ';

export function orderFunction(collation: string): string {
  return ORDER_OF + collation;
}

export function textFunction(collation: string): string {
  return TEXT_OF + collation;
}

/** The collations whose order a plan asks for. */
export function collationsOf(plan: unknown): Set<string> {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('fn' in node && typeof node.fn === 'string' && node.fn.startsWith(ORDER_OF))
      found.add(node.fn.slice(ORDER_OF.length));
    for (const part of Object.values(node)) visit(part);
  };
  visit(plan);
  return found;
}

function unary(of: (text: string) => string): PgFunction {
  return {
    strict: true,
    stable: true,
    result: 'text',
    bind: () => (text) => (text === null ? null : of(text)),
  };
}

const MARKS = 64;

/** Where a wanted text may stand: before the known text of one of these places. */
interface Interval {
  from: number;
  to: number;
}

/** The known texts of one collation in their order. */
class TextOrder {
  readonly #options: Required<TextOrdersOptions>;
  readonly #tokens = new Map<string, string>();
  readonly #texts = new Map<string, string>();
  readonly #wanted = new Map<string, Interval>();
  #sorted: string[] = [];
  /** From whom it takes over; null once it is settled. */
  #before: TextOrder | null;
  /** Texts that were in use when it was settled. */
  #inUse = 0;
  #bytes = 0;

  constructor(options: Required<TextOrdersOptions>, before: TextOrder | null) {
    this.#options = options;
    this.#before = before;
  }

  get textCount(): number {
    return this.#tokens.size + this.#wanted.size;
  }

  /** By estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Texts more than were in use. */
  get spare(): number {
    return this.textCount - this.#inUse;
  }

  /** Before the bound is reached there is room for half of what may still come. */
  get isDue(): boolean {
    const { textsMax, spareTexts } = this.#options;
    return this.spare > spareTexts + Math.min(this.#inUse, (textsMax - this.#inUse) / 2);
  }

  settle(): void {
    this.#before = null;
    this.#inUse = this.#tokens.size;
    this.#sorted = [...this.#texts]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, text]) => text);
  }

  tokenOf(text: string): string | undefined {
    return this.#tokens.get(text) ?? this.#inherit(text);
  }

  #inherit(text: string): string | undefined {
    const token = this.#before?.tokenOf(text);
    if (token !== undefined) this.#keep(text, token);
    return token;
  }

  textOf(token: string): string | undefined {
    return this.#texts.get(token);
  }

  /** @returns false when there are too many */
  want(text: string): boolean {
    if (this.#wanted.has(text)) return true;
    if (this.textCount >= this.#options.textsMax) return false;
    this.#wanted.set(text, { from: 0, to: this.#sorted.length });
    this.#bytes += bytesOfWanted(text);
    return true;
  }

  question(): readonly string[] {
    if (this.#wanted.size === 0) return [];
    const marks = new Set<string>();
    for (const { from, to } of this.#wanted.values()) {
      const step = Math.max(1, Math.ceil((to - from) / MARKS));
      for (let at = from; at < to; at += step) marks.add(must(this.#sorted[at], 'a known text'));
    }
    return [...this.#wanted.keys(), ...marks];
  }

  answer(sorted: readonly string[]): void {
    const places = new Map(this.#sorted.map((text, at) => [text, at]));
    this.#narrow(sorted, places);
    const found = sorted.filter((text) => {
      const interval = this.#wanted.get(text);
      return interval !== undefined && interval.from === interval.to;
    });
    this.#insert(found);
  }

  /** Between the mark before it and the mark behind it. */
  #narrow(sorted: readonly string[], places: ReadonlyMap<string, number>): void {
    let from = 0;
    for (const text of sorted) {
      const interval = this.#wanted.get(text);
      if (interval !== undefined) interval.from = Math.max(interval.from, from);
      else from = (places.get(text) ?? -1) + 1;
    }
    let to = this.#sorted.length;
    for (const text of sorted.toReversed()) {
      const interval = this.#wanted.get(text);
      if (interval !== undefined) interval.to = Math.min(interval.to, to);
      else to = places.get(text) ?? to;
    }
  }

  /** @param found in their order */
  #insert(found: readonly string[]): void {
    const next: string[] = [];
    let at = 0;
    for (let index = 0; index < found.length;) {
      const place = must(this.#wanted.get(must(found[index], 'text')), 'a wanted text').from;
      while (at < place) next.push(must(this.#sorted[at++], 'a known text'));
      let end = index;
      while (end < found.length && this.#wanted.get(found[end] ?? '')?.from === place) end++;
      const before = next.at(-1);
      const tokens = tokensBetween(
        before === undefined ? null : must(this.#tokens.get(before), 'token'),
        this.#tokenAt(place),
        end - index,
      );
      for (const token of tokens) this.#place(must(found[index++], 'text'), token, next);
    }
    const added = this.#sorted.slice(at);
    const places = found.map((text) => must(this.#wanted.get(text), 'a wanted text').from);
    for (const text of found) {
      this.#wanted.delete(text);
      this.#bytes -= bytesOfWanted(text);
    }
    this.#sorted = next.concat(added);
    for (const interval of this.#wanted.values()) {
      interval.from += placeOf(places, (place) => place < interval.from);
      interval.to += placeOf(places, (place) => place <= interval.to);
    }
  }

  #place(text: string, token: string, next: string[]): void {
    this.#keep(text, token);
    next.push(text);
  }

  #keep(text: string, token: string): void {
    this.#tokens.set(text, token);
    this.#texts.set(token, text);
    this.#bytes += bytesOfValues([text, token]) + 2 * ENTRY_BYTES;
  }

  #tokenAt(place: number): string | null {
    const text = this.#sorted[place];
    return text === undefined ? null : must(this.#tokens.get(text), 'token');
  }
}

function bytesOfWanted(text: string): number {
  return bytesOfValues([text]) + ENTRY_BYTES;
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = DIGITS.length;
/** What stands at either end is counted in steps of this many units of the first digits. */
const HEAD = 5;
const STEP = 512;
const MIDDLE = Math.floor(BASE ** HEAD / 2);

/** Tokens in order between two, or at an end. None ends in the least digit, so that there is room before each. */
export function tokensBetween(before: string | null, after: string | null, count: number): readonly string[] {
  if (after === null || before === null) {
    const edge = before ?? after;
    const start = edge === null ? MIDDLE : headOf(edge);
    const direction = after === null ? 1 : -1;
    const last = start + direction * STEP * count;
    if (last > 0 && last < BASE ** HEAD) {
      const tokens = Array.from({ length: count }, (_, at) => headText(start + direction * STEP * (at + 1)));
      return direction === 1 ? tokens : tokens.toReversed();
    }
  }
  if (count === 0) return [];
  const half = Math.floor(count / 2);
  const middle = between(before ?? '', after);
  return [
    ...tokensBetween(before ?? '', middle, half),
    middle,
    ...tokensBetween(middle, after ?? 'zzzzzzzzz', count - half - 1),
  ];
}

function headOf(token: string): number {
  let value = 0;
  for (let at = 0; at < HEAD; at++) value = value * BASE + Math.max(0, DIGITS.indexOf(token[at] ?? '0'));
  return value;
}

function headText(value: number): string {
  let text = 'V';
  for (let left = value, at = 0; at < HEAD; at++, left = Math.floor(left / BASE))
    text = (DIGITS[left % BASE] ?? '') + text;
  return text;
}

/** A text of digits between two; null is beyond all. */
function between(before: string, after: string | null): string {
  let head = '';
  let isBelow = after === null;
  for (let at = 0; ; at++) {
    const low = Math.max(0, DIGITS.indexOf(before[at] ?? '0'));
    const high = isBelow ? BASE : Math.max(0, DIGITS.indexOf(after?.[at] ?? '0'));
    if (high - low > 1) return head + (DIGITS[Math.floor((low + high) / 2)] ?? '');
    head += DIGITS[low] ?? '';
    if (low < high) isBelow = true;
  }
}
