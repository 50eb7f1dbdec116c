import type { Expression } from '@sluice/core/expression';
import type { Spelling, Spellings } from './spellings.js';

/** What the columns and parameters of an expression are called where it stands. */
export interface Names {
  column(column: number): string;
  param(param: number): string;
}

/** How tightly a text holds together: what is looser than its surroundings gets parentheses. */
const OR = 0;
const AND = 1;
const NOT = 2;
const COMPARED = 3;
const OPERATOR = 4;
const ATOM = 5;
type Strength = 0 | 1 | 2 | 3 | 4 | 5;

interface Written {
  readonly text: string;
  readonly strength: Strength;
}

const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);

/** Operators that everybody writes as a word. */
const WORDS: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '!~~': 'NOT LIKE',
  '~~*': 'ILIKE',
  '!~~*': 'NOT ILIKE',
};

/** Expressions of a plan as somebody would write them in SQL: to be read, not to be run. */
export class ExpressionText {
  readonly #spellings: Spellings;
  readonly #names: Names;

  constructor(spellings: Spellings, names: Names) {
    this.#spellings = spellings;
    this.#names = names;
  }

  of(expression: Expression): string {
    return this.#write(expression).text;
  }

  /** Of something that stands beside others that are joined by AND. */
  conjunct(expression: Expression): string {
    return this.#within(expression, AND);
  }

  #within(expression: Expression, least: Strength): string {
    const { text, strength } = this.#write(expression);
    return strength >= least ? text : `(${text})`;
  }

  #list(expressions: readonly Expression[]): string {
    return expressions.map((one) => this.of(one)).join(', ');
  }

  #write(node: Expression): Written {
    switch (node.op) {
      case 'column':
        return atom(this.#names.column(node.column));
      case 'param':
        return atom(this.#names.param(node.param));
      case 'call':
        return this.#call(node.fn, node.args);
      case 'and':
      case 'or': {
        const strength = node.op === 'and' ? AND : OR;
        const parts = node.args.map((arg) => this.#within(arg, strength));
        return { text: parts.join(node.op === 'and' ? ' AND ' : ' OR '), strength };
      }
      case 'not':
        return { text: `NOT ${this.#within(node.arg, NOT)}`, strength: NOT };
      case 'is_null':
      case 'is_not_null':
        return compared(`${this.#within(node.arg, OPERATOR)} IS ${node.op === 'is_null' ? '' : 'NOT '}NULL`);
      case 'is': {
        const truth = node.value === null ? 'UNKNOWN' : String(node.value).toUpperCase();
        return compared(`${this.#within(node.arg, OPERATOR)} IS ${node.negated ? 'NOT ' : ''}${truth}`);
      }
      case 'distinct': {
        const words = node.negated === true ? 'IS NOT DISTINCT FROM' : 'IS DISTINCT FROM';
        return compared(
          `${this.#within(node.left, OPERATOR)} ${words} ${this.#within(node.right, OPERATOR)}`,
        );
      }
      case 'any':
      case 'all': {
        const sign = signOf(this.#spellings.get(node.fn)) ?? node.fn;
        return compared(
          `${this.#within(node.left, OPERATOR)} ${sign} ${node.op.toUpperCase()} (${this.of(node.array)})`,
        );
      }
      case 'case': {
        const arms = node.arms.map(([when, then]) => `WHEN ${this.of(when)} THEN ${this.of(then)} `);
        return atom(`CASE ${arms.join('')}ELSE ${this.of(node.otherwise)} END`);
      }
      case 'nullif':
        return atom(`nullif(${this.of(node.left)}, ${this.of(node.right)})`);
      case 'array':
        return atom(`ARRAY[${this.#list(node.args)}]`);
      case 'row':
        return atom(`(${this.#list(node.args)})`);
      case 'coalesce':
      case 'greatest':
      case 'least':
        return atom(`${node.op}(${this.#list(node.args)})`);
    }
  }

  #call(fn: string, args: readonly Expression[]): Written {
    const [first, second] = args;
    const spelling = this.#spellings.get(fn);
    if (first !== undefined && second !== undefined && args.length === 2 && spelling?.kind === 'infix')
      return this.#infix(signOf(spelling) ?? spelling.name, first, second);
    if (fn.endsWith('_subscript_handler') && first !== undefined)
      return atom(
        `${this.#within(first, ATOM)}[${args
          .slice(1)
          .map((one) => this.of(one))
          .join('][')}]`,
      );
    if (first === undefined || spelling === undefined || spelling.kind === 'function')
      return atom(`${spelling?.name ?? fn.replace(/\(.*/, '')}(${this.#list(args)})`);
    if (spelling.kind === 'prefix' || spelling.kind === 'infix')
      return { text: `${spelling.name} ${this.#within(first, OPERATOR)}`, strength: OPERATOR };
    return atom(`${this.#within(this.#withoutOutput(first), ATOM)}::${spelling.name}`);
  }

  #infix(sign: string, left: Expression, right: Expression): Written {
    const strength = COMPARISONS.has(sign) || /^[A-Z]/.test(sign) ? COMPARED : OPERATOR;
    const least: Strength = strength === COMPARED ? OPERATOR : ATOM;
    return { text: `${this.#within(left, least)} ${sign} ${this.#within(right, least)}`, strength };
  }

  /** A cast by way of text shows as one cast. */
  #withoutOutput(expression: Expression): Expression {
    const [inner] = expression.op === 'call' ? expression.args : [];
    const isOutput = expression.op === 'call' && this.#spellings.get(expression.fn)?.kind === 'output';
    return isOutput && inner !== undefined ? inner : expression;
  }
}

function signOf(spelling: Spelling | undefined): string | null {
  return spelling?.kind === 'infix' ? (WORDS[spelling.name] ?? spelling.name) : null;
}

function atom(text: string): Written {
  return { text, strength: ATOM };
}

function compared(text: string): Written {
  return { text, strength: COMPARED };
}
