import type { Block, ComputedRows, Grouping, Input, SetOperation, Source } from '@sluice/core/flow/plan';
import type { Expression } from '@sluice/core/expression';
import { aggregateText, overText, sortText, windowFunctionText } from './aggregate-text.js';
import {
  columnIn,
  flatNames,
  groupedNames,
  outputNames,
  RelationNames,
  type NamedInput,
} from './block-names.js';
import { ExpressionText } from './expression-text.js';
import type { Spellings } from './spellings.js';
import { indent, nest } from './lines.js';

/*
 * A plan of blocks as the lines of a tree. What is done last stands first; each input stands below the one that
 * demands its rows, with the columns that they are looked up by.
 *
 *   limit 50
 *     order by issue.created DESC
 *       filter issue.state = 'open'
 *         table issue by project_id = $1 (index issue_project)
 *           left table users by id = issue.assignee (index users_pkey)
 */

export interface TreeOptions {
  tableName(oid: number): string;
  param(param: number): string;
  /** The index that finds rows of a table by these columns; null where there is none. */
  index(table: number, columns: readonly string[]): string | null;
  readonly spellings: Spellings;
  /** What the query calls its columns. */
  readonly columns: readonly string[];
}

export function blockTree(block: Block, options: TreeOptions): readonly string[] {
  const drawing = new BlockDrawing(block, { ...options, names: new RelationNames() }, options.param);
  return drawing.lines(options.columns);
}

interface Context extends TreeOptions {
  readonly names: RelationNames;
}

class BlockDrawing {
  readonly #block: Block;
  readonly #context: Context;
  readonly #param: (param: number) => string;
  readonly #inputs: NamedInput[] = [];
  readonly #below = new Map<Input, BlockDrawing>();
  readonly #flat: ExpressionText;
  /** Over the flat row, or the grouped row and what window functions add. */
  readonly #row: (column: number) => string;

  constructor(block: Block, context: Context, param: (param: number) => string) {
    this.#block = block;
    this.#context = context;
    this.#param = param;
    for (const input of block.inputs) this.#inputs.push(this.#named(input));
    const flat =
      block.sets === undefined && block.rows === undefined
        ? flatNames(this.#inputs)
        : (column: number) => `column${column + (block.sets === undefined ? 1 : 0)}`;
    this.#flat = this.#text(flat);
    const { group } = block;
    const row =
      group === null ? flat : groupedNames(group, this.#flat, (one) => aggregateText(one, this.#flat));
    this.#row = this.#withWindows(row);
  }

  lines(columns: readonly string[] | null): string[] {
    const { where, group, windows, distinct, distinctOn, order } = this.#block;
    const text = this.#text(this.#row);
    const project = this.#block.project.map((one) => text.of(one));
    const filter = this.#all(where);
    const levels = [
      ...this.#limits(),
      ...(order.length === 0
        ? []
        : [`order by ${order.map((term) => sortText(project[term.column] ?? '?', term)).join(', ')}`]),
      ...(distinct ? ['distinct'] : []),
      ...(distinctOn === undefined
        ? []
        : [`distinct on ${distinctOn.map((column) => project[column] ?? '?').join(', ')}`]),
      `project ${project.map((one, at) => as(one, columns?.[at])).join(', ') || 'nothing'}`,
      ...(windows?.over ?? []).map((one) => `window ${overText(one, this.#beneathWindows()) || 'all rows'}`),
      ...(group === null ? [] : this.#grouping(group)),
      ...(filter === '' ? [] : [`filter ${filter}`]),
      ...(this.#block.sets === undefined ? [] : [setText(this.#block.sets.operation)]),
    ];
    const rows = this.#block.rows === undefined ? [] : [this.#computed(this.#block.rows)];
    return nest(levels, [...rows, ...this.#inputLines(null)]);
  }

  get outputs(): readonly string[] {
    return outputNames(this.#block, { column: this.#row, param: this.#param });
  }

  #text(column: (column: number) => string): ExpressionText {
    return new ExpressionText(this.#context.spellings, { column, param: this.#param });
  }

  /** `LEFT JOIN … ON true` says nothing. */
  #all(conjuncts: readonly Expression[]): string {
    const texts = conjuncts.map((one) => this.#flat.conjunct(one));
    return texts.filter((one) => one !== 'true').join(' AND ');
  }

  #named(input: Input): NamedInput {
    const { of } = input;
    if (of.kind === 'table') {
      const name = this.#context.names.next(this.#context.tableName(of.table).replace(/^public\./, ''));
      return { input, name, columns: of.columns.map((column) => column.name) };
    }
    const name = this.#context.names.next('subquery');
    const below = new BlockDrawing(of.block, this.#context, (param) => this.#given(input, param));
    this.#below.set(input, below);
    return { input, name, columns: below.outputs };
  }

  /** A parameter of a subquery is what this block gives it. */
  #given({ demand }: Input, param: number): string {
    const pair = demand.pairs.find(({ column }) => column === param);
    if (pair === undefined) return '?';
    const parent = pair.ofParams === true || demand.parent === null ? undefined : this.#inputs[demand.parent];
    return parent === undefined ? this.#param(pair.parentColumn) : columnIn(parent, pair.parentColumn);
  }

  #withWindows(row: (column: number) => string): (column: number) => string {
    const { windows } = this.#block;
    if (windows === undefined) return row;
    const text = this.#text(row);
    const added = windows.over.flatMap((one) =>
      one.functions.map((fn) => `${windowFunctionText(fn, text)} OVER (${overText(one, text)})`),
    );
    return (column) => (column < windows.at ? row(column) : (added[column - windows.at] ?? '?'));
  }

  #beneathWindows(): ExpressionText {
    return this.#text(this.#row);
  }

  #limits(): string[] {
    const { limit, offset, withTies } = this.#block;
    const parts = [
      ...(limit === null ? [] : [`limit ${this.#param(limit)}${withTies === true ? ' with ties' : ''}`]),
      ...(offset === null ? [] : [`offset ${this.#param(offset)}`]),
    ];
    return parts.length === 0 ? [] : [parts.join(' ')];
  }

  #grouping(group: Grouping): string[] {
    const keys = group.keys.map((key) => this.#flat.of(key));
    const sets = group.sets?.map((set) => `(${set.map((key) => keys[key] ?? '?').join(', ')})`);
    const by = sets === undefined ? keys.join(', ') : `grouping sets ${sets.join(', ')}`;
    const computed = group.aggregates.map((one) => aggregateText(one, this.#flat));
    const line = `group ${by === '' ? 'all rows' : `by ${by}`}${computed.length === 0 ? '' : `: ${computed.join(', ')}`}`;
    const names = groupedNames(group, this.#flat, (one) => aggregateText(one, this.#flat));
    const having = group.having.map((one) => this.#text(names).conjunct(one));
    return [...(having.length === 0 ? [] : [`having ${having.join(' AND ')}`]), line];
  }

  #computed({ lists, ordinality }: ComputedRows): string {
    const texts = lists.map((list) => {
      if (list.kind === 'values')
        return `values ${list.rows.map((row) => `(${row.map((one) => this.#flat.of(one)).join(', ')})`).join(', ')}`;
      return this.#flat.of({ op: 'call', fn: list.fn, args: list.args });
    });
    return `rows from ${texts.join(', ')}${ordinality ? ' with ordinality' : ''}`;
  }

  /** The inputs that hang on `parent`, and below each those that hang on it. */
  #inputLines(parent: number | null): string[] {
    return this.#inputs.flatMap((named, at) => {
      const { input } = named;
      if (input.demand.parent !== parent) return [];
      const inside = this.#below.get(input)?.lines(null) ?? [];
      return [this.#inputLine(named), ...indent([...inside, ...this.#inputLines(at)])];
    });
  }

  #inputLine({ input, name }: NamedInput): string {
    const { of, join, on } = input;
    const kind = join === 'inner' ? '' : `${join} `;
    const rest = this.#all(on);
    const where = rest === '' ? '' : ` where ${rest}`;
    if (of.kind === 'table') return `${kind}${this.#tableLine(input, of, name)}${where}`;
    const by = input.demand.pairs.map((pair) => this.#given(input, pair.column));
    const distinct = [...new Set(by.filter((one) => !/^(\$\d|'|[-\d]|(NULL|true|false)$)/.test(one)))];
    return `${kind}${name}${distinct.length === 0 ? '' : ` for each ${distinct.join(', ')}`}${where}`;
  }

  #tableLine(input: Input, source: Source, name: string): string {
    const line = this.#readLine(input, source, name);
    return source.tallied === true
      ? `${line}, holding no rows: changes bring them whole, before and after`
      : line;
  }

  #readLine(input: Input, source: Source, name: string): string {
    const table = this.#context.tableName(source.table);
    const called = table.replace(/^public\./, '') === name ? '' : ` as ${name}`;
    const columns = input.demand.pairs.map(({ column }) => source.columns[column]?.name ?? '?');
    if (columns.length === 0) return `table ${table}${called}, whole`;
    const by = columns.map((column, at) => {
      const pair = input.demand.pairs[at];
      return `${column} = ${pair === undefined ? '?' : this.#given(input, pair.column)}`;
    });
    const index = this.#context.index(source.table, columns);
    return `table ${table}${called} by ${by.join(' AND ')} (${index === null ? 'no index' : `index ${index}`})`;
  }
}

function setText(operation: SetOperation): string {
  return setOf(operation, true);
}

function setOf(operation: SetOperation, isOutermost: boolean): string {
  if ('input' in operation) return `#${operation.input + 1}`;
  const { op, all, left, right } = operation;
  const text = `${setOf(left, false)} ${op}${all ? ' all' : ''} ${setOf(right, false)}`;
  return isOutermost ? text : `(${text})`;
}

function as(text: string, name: string | undefined): string {
  return name === undefined || text === name || text.endsWith(`.${name}`) ? text : `${text} AS ${name}`;
}
