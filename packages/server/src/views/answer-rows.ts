import { hash } from 'node:crypto';
import type { KeyedRow } from '@sluice/core/engine/diff';
import { EDITED_LENGTH_MIN } from '@sluice/core/engine/row-edits';
import { delOp, putOp, updateOp, type EncodedOp } from '@sluice/core/engine/held-row';
import type { FlowMember } from '@sluice/core/flow/member';
import type { Row, RowChange } from '@sluice/core/flow/row';
import { appended } from '@sluice/core/few';
import { columnKey } from './keyed-rows.js';

/** How a plan's rows are told. */
export interface Telling {
  /** Columns that clients see. */
  readonly visible: number;
  readonly ordered: boolean;
  /** Output columns in which no two rows agree, as far as the planner knows. */
  readonly keyColumns: readonly number[] | null;
  /** That is not only the planner's knowledge (`sure-keys.ts`). */
  readonly sure: boolean;
}

/** A row that came or changed. */
interface Come {
  readonly keyed: KeyedRow;
  /** What stood under its name before, if it was the same row. */
  readonly was: Row | null;
  /** The row that it stands behind: null at the beginning, undefined without an order. */
  readonly after: { readonly keyJson: string } | null | undefined;
}

/** Rows that are told under their names no more, by name. */
type Gone = Map<string, Row>;

/**
 * The answer of one member as clients hold it: rows with keys (C16), and what a transaction did to it as operations.
 * The key columns name a row as long as no two agree in them, which is watched where it is not sure; else the engine's
 * own key does.
 */
export class AnswerRows {
  #member: FlowMember;
  readonly #telling: Telling;
  /** The names of all rows, while they are made of key columns and that is not sure. */
  #names: Set<string> | null = null;

  constructor(member: FlowMember, telling: Telling) {
    this.#member = member;
    this.#telling = telling;
    if (telling.keyColumns !== null && !telling.sure) this.#nameAll(telling.keyColumns);
  }

  get member(): FlowMember {
    return this.#member;
  }

  /** Another member has the same answer. */
  follow(member: FlowMember): void {
    this.#member = member;
  }

  shown(): readonly KeyedRow[] {
    return this.#member.shown().map((row) => this.#keyed(row));
  }

  /** What changes of the member, which it has taken already, are to clients. What is told as it is has no need of what it was. */
  ops(changes: readonly RowChange[]): EncodedOp[] {
    const come = this.#come(changes);
    const gone = this.#gone(changes);
    const names = this.#names;
    if (names !== null && !this.#takeNames(names, gone, come))
      return this.#renamed([...names, ...(gone?.keys() ?? [])]);
    const puts = come.map(({ keyed, was, after }) => {
      const old = was ?? gone?.get(keyed.keyJson);
      gone?.delete(keyed.keyJson);
      if (old === undefined || keyed.json.length < EDITED_LENGTH_MIN) return putOp(keyed, after);
      return updateOp(this.#jsonOf(old), keyed, after);
    });
    return gone === null ? puts : [...Array.from(gone.keys(), (keyJson) => delOp({ keyJson })), ...puts];
  }

  /** In an order they come in that order. */
  #come(changes: readonly RowChange[]): readonly Come[] {
    let come: Come[] = [];
    if (!this.#telling.ordered) {
      for (const { old, next } of changes) {
        if (next === null) continue;
        const was = this.#wasOf(old, next);
        come = appended(come, { keyed: this.#keyed(next), was, after: undefined });
      }
      return come;
    }
    const before = new Map<string, Row | null>();
    for (const { old, next } of changes) if (next !== null) before.set(next.key, old);
    for (const { key, previous } of this.#member.placesOf([...before.keys()])) {
      const row = this.#row(key);
      const was = this.#wasOf(before.get(key) ?? null, row);
      const after = previous === null ? null : { keyJson: this.#nameOf(this.#row(previous)) };
      come = appended(come, { keyed: this.#keyed(row), was, after });
    }
    return come;
  }

  #gone(changes: readonly RowChange[]): Gone | null {
    let gone: Gone | null = null;
    for (const { old, next } of changes) {
      if (old === null || (next !== null && this.#wasOf(old, next) !== null)) continue;
      gone ??= new Map();
      gone.set(this.#nameOf(old), old);
    }
    return gone;
  }

  /** The row before it changed, if it is called as it was. */
  #wasOf(old: Row | null, next: Row): Row | null {
    if (old === null) return null;
    const columns = this.#columns;
    const isSame =
      columns === null
        ? old.key === next.key
        : columns.every((column) => old.values[column] === next.values[column]);
    return isSame ? old : null;
  }

  /** @returns false when two rows have one name: then `names` are those of the rows that have neither come nor gone */
  #takeNames(names: Set<string>, gone: Gone | null, come: readonly Come[]): boolean {
    const others = come.filter(({ was }) => was === null);
    if (gone === null && others.length === 0) return true;
    for (const name of gone?.keys() ?? []) names.delete(name);
    const added: string[] = [];
    for (const { keyed } of others) if (!names.has(keyed.keyJson)) added.push(keyed.keyJson);
    for (const name of added) names.add(name);
    if (names.size === this.#member.size) return true;
    for (const name of added) names.delete(name);
    return false;
  }

  #row(key: string): Row {
    const row = this.#member.row(key);
    if (row === undefined) throw new Error('assertion failed: what is told of a row is of one that is there');
    return row;
  }

  /** Two rows agree in their key columns: from here on all of them have other names. */
  #renamed(before: readonly string[]): EncodedOp[] {
    this.#names = null;
    const ops: EncodedOp[] = before.map((keyJson) => delOp({ keyJson }));
    let previous: KeyedRow | null = null;
    for (const row of this.shown()) {
      ops.push(this.#telling.ordered ? putOp(row, previous) : putOp(row));
      previous = row;
    }
    return ops;
  }

  /** That name the rows. */
  get #columns(): readonly number[] | null {
    const { keyColumns, sure } = this.#telling;
    return sure || this.#names !== null ? keyColumns : null;
  }

  #nameAll(columns: readonly number[]): void {
    const names = new Set<string>();
    for (const row of this.#member.rows()) names.add(nameOf(row, columns));
    if (names.size === this.#member.size) this.#names = names;
  }

  #keyed(row: Row): KeyedRow {
    return { keyJson: this.#nameOf(row), json: this.#jsonOf(row) };
  }

  #jsonOf({ values }: Row): string {
    const { visible } = this.#telling;
    return JSON.stringify(values.length === visible ? values : values.slice(0, visible));
  }

  #nameOf(row: Row): string {
    const columns = this.#columns;
    if (columns !== null) return nameOf(row, columns);
    return JSON.stringify(hash('sha256', row.key, 'base64url').slice(0, 22));
  }
}

function nameOf(row: Row, columns: readonly number[]): string {
  return JSON.stringify(columnKey(row.values, columns));
}
