import { compileExpression } from '@sluice/core/expression/compile';
import { ALL_PIECES } from '@sluice/core/chunks/all';
import { NotReproduced, PgError } from '@sluice/core/expression/errors';
import type { PgText } from '@sluice/core/value';
import type pg from 'pg';
import { CASES, LABELS, type CallCase } from './cases.js';
import { RandomValues } from './random-values.js';
import { VALUES } from './values.js';

/**
 * Calls every function of the engine with values at the edges of its types, and Postgres with the same: values are
 * compared text for text in one statement a case, errors by their SQLSTATE one by one (a sample: each is a statement).
 */
export interface Verdict {
  readonly compared: number;
  readonly errors: number;
  /** Left to Postgres by the engine. */
  readonly left: number;
  readonly disagreements: readonly string[];
}

/** What pg_proc says of one of the engine's functions. */
export interface Signature {
  readonly name: string;
  readonly args: readonly string[];
  readonly strict: boolean;
  readonly volatility: string;
  readonly result: string;
}

const ERRORS_MAX = 10;
const LONG_MAX = 12;

export class Judge {
  readonly #client: pg.Client;
  readonly #values = new Map<string, readonly string[]>();
  readonly #random: RandomValues;
  readonly #callsMax: number;

  /**
   * @param client with the settings that the engine relies on, and raw text for every type
   * @param callsMax how many calls of a function with arguments of the same types, at most
   */
  constructor(client: pg.Client, seed: number, callsMax: number) {
    this.#client = client;
    this.#random = new RandomValues(seed);
    this.#callsMax = callsMax;
  }

  async judge(fn: string, signatures: readonly Signature[]): Promise<Verdict> {
    const verdicts: Verdict[] = [];
    for (const callCase of casesOf(fn, signatures)) verdicts.push(await this.#judgeCase(fn, callCase));
    return {
      compared: sum(verdicts.map((verdict) => verdict.compared)),
      errors: sum(verdicts.map((verdict) => verdict.errors)),
      left: sum(verdicts.map((verdict) => verdict.left)),
      disagreements: verdicts.flatMap((verdict) => verdict.disagreements),
    };
  }

  async #judgeCase(fn: string, callCase: CallCase & { readonly sql: string }): Promise<Verdict> {
    const evaluate = compileExpression(
      {
        op: 'call',
        fn,
        args: callCase.args.map((_arg, column) => ({ op: 'column', column })),
        ...(callCase.types ? { types: callCase.types } : {}),
      },
      ALL_PIECES,
    );
    const expected: { args: readonly PgText[]; value: PgText }[] = [];
    const errors: { args: readonly PgText[]; sqlstate: string }[] = [];
    const throws: string[] = [];
    let left = 0;
    for (const args of await this.#tuples(callCase.args)) {
      try {
        expected.push({ args, value: evaluate(args, []) });
      } catch (error) {
        if (error instanceof PgError) errors.push({ args, sqlstate: error.sqlstate });
        else if (error instanceof NotReproduced) left++;
        else throws.push(`(${show(args)}) throws ${String(error)}`);
      }
    }
    const sample = this.#sample(errors, ERRORS_MAX);
    const disagreements = [
      ...throws,
      ...(await this.#compareValues(callCase, expected)),
      ...(await this.#compareErrors(callCase, sample)),
    ];
    return {
      compared: expected.length,
      errors: sample.length,
      left,
      disagreements: disagreements.map((difference) => `${fn}: ${difference}`),
    };
  }

  async #compareValues(
    callCase: CallCase & { readonly sql: string },
    expected: readonly { args: readonly PgText[]; value: PgText }[],
  ): Promise<string[]> {
    if (expected.length === 0) return [];
    try {
      const actual = await this.#call(
        callCase,
        expected.map(({ args }) => args),
      );
      return expected.flatMap(({ args, value }, index) =>
        value === actual[index]
          ? []
          : [`(${show(args)}) is ${show([actual[index] ?? null])}, not ${show([value])}`],
      );
    } catch (error) {
      const [only] = expected;
      if (expected.length === 1 && only) {
        return [`(${show(only.args)}) raises ${sqlstateOf(error)}, is not ${show([only.value])}`];
      }
      const middle = expected.length >> 1;
      return [
        ...(await this.#compareValues(callCase, expected.slice(0, middle))),
        ...(await this.#compareValues(callCase, expected.slice(middle))),
      ];
    }
  }

  async #compareErrors(
    callCase: CallCase & { readonly sql: string },
    errors: readonly { args: readonly PgText[]; sqlstate: string }[],
  ): Promise<string[]> {
    const differences: string[] = [];
    for (const { args, sqlstate } of errors) {
      const actual = await this.#call(callCase, [args]).then(
        ([value]) => `is ${show([value ?? null])}`,
        (error: unknown) => `raises ${sqlstateOf(error)}`,
      );
      if (actual !== `raises ${sqlstate}`)
        differences.push(`(${show(args)}) ${actual}, does not raise ${sqlstate}`);
    }
    return differences;
  }

  async #call(
    callCase: CallCase & { readonly sql: string },
    calls: readonly (readonly PgText[])[],
  ): Promise<PgText[]> {
    const columns = callCase.args.map((arg, index) => `(c${index + 1})::${sqlType(arg)}`);
    const sql = callCase.sql.replace(/\$(\d)/g, (_match, number) => columns[Number(number) - 1] ?? '');
    const names = columns.map((_column, index) => `c${index + 1}`).join(', ');
    const arrays = columns.map((_column, index) => `$${index + 1}::text[]`).join(', ');
    const { rows } = await this.#client.query<PgText[]>({
      text: `SELECT ${sql} FROM unnest(${arrays}) WITH ORDINALITY AS a(${names}, n) ORDER BY n`,
      values: columns.map((_column, index) => calls.map((call) => call[index] ?? null)),
      rowMode: 'array',
    });
    return rows.map(([value]) => value ?? null);
  }

  /** All combinations where they are few, else a sample; with each argument null once. */
  async #tuples(args: readonly string[]): Promise<PgText[][]> {
    const lists: (readonly string[])[] = [];
    for (const arg of args) lists.push(await this.#valuesOf(arg));
    const all = lists.reduce((product, list) => product * list.length, 1);
    const max = args.some((arg) => arg.endsWith(': long')) ? LONG_MAX : this.#callsMax;
    const tuples: PgText[][] =
      all <= max
        ? lists.reduce<string[][]>(
            (rest, list) => rest.flatMap((tuple) => list.map((value) => [...tuple, value])),
            [[]],
          )
        : Array.from({ length: max }, () =>
            lists.map((list) => list[this.#random.below(list.length)] ?? null),
          );
    const withNull = lists.map((_list, index) =>
      lists.map((list, other) => (other === index ? null : (list[0] ?? null))),
    );
    return [...tuples, ...withNull];
  }

  /** The values as Postgres prints them. */
  async #valuesOf(arg: string): Promise<readonly string[]> {
    const known = this.#values.get(arg);
    if (known) return known;
    const key = arg.split(': ').at(-1) ?? arg;
    const edges = key === 'mood' || key === 'label' ? LABELS : VALUES[key];
    const values = edges && [...edges, ...this.#random.valuesOf(key)];
    if (!values) throw new Error(`no values for ${arg}`);
    const { rows } = await this.#client.query<string[]>({
      text: `SELECT v::${sqlType(arg)} FROM unnest($1::text[]) WITH ORDINALITY AS a(v, n) ORDER BY n`,
      values: [values],
      rowMode: 'array',
    });
    const printed = [...new Set(rows.map(([value]) => value ?? ''))];
    this.#values.set(arg, printed);
    return printed;
  }

  #sample<T>(items: readonly T[], max: number): readonly T[] {
    return items.length <= max
      ? items
      : Array.from({ length: max }, () => items[this.#random.below(items.length)] as T);
  }
}

function casesOf(fn: string, signatures: readonly Signature[]): (CallCase & { readonly sql: string })[] {
  const call = (args: readonly string[], name: string): string =>
    `pg_catalog."${name}"(${args.map((_arg, index) => `$${index + 1}`).join(', ')})`;
  const special = CASES[fn];
  if (!special) return signatures.map(({ args, name }) => ({ args, sql: call(args, name) }));
  return special.map((one) => ({ ...one, sql: one.sql ?? call(one.args, signatures[0]?.name ?? fn) }));
}

function sqlType(arg: string): string {
  const type = arg.split(': ')[0] ?? arg;
  return type.startsWith('character') && !type.includes('varying') ? 'bpchar' : type;
}

function sqlstateOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function show(values: readonly PgText[]): string {
  return values
    .map((value) =>
      value === null ? 'NULL' : value.length > 100 ? `${value.slice(0, 100)}…` : JSON.stringify(value),
    )
    .join(', ');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
