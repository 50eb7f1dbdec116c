import { hash } from 'node:crypto';
import { must } from '@sluice/core/assert';
import type { KeyedRow } from '@sluice/core/engine/diff';
import { EDITED_LENGTH_MIN } from '@sluice/core/engine/row-edits';
import { delOp, putOp, updateOp, type EncodedOp } from '@sluice/core/engine/held-row';
import type { FlowMember } from '@sluice/core/flow/member';
import type { Row, RowChange } from '@sluice/core/flow/row';
import { columnKey } from './keyed-rows.js';

/** How a plan's rows are told. */
export interface Telling {
  /** Columns that clients see. */
  readonly visible: number;
  readonly ordered: boolean;
  /** Output columns in which no two rows agree, as far as the planner knows. */
  readonly keyColumns: readonly number[] | null;
}

/** A row that came or changed, and the row that it stands behind: null at the beginning, undefined without an order. */
interface Come {
  readonly key: string;
  readonly keyed: KeyedRow;
  readonly after: { readonly keyJson: string } | null | undefined;
}

/**
 * The answer of one member as clients hold it: rows with keys (C16), and what a transaction did to it as operations.
 * The key columns name a row as long as no two agree in them; else the engine's own key does.
 */
export class AnswerRows {
  #member: FlowMember;
  readonly #telling: Telling;
  /** The names of all rows, while they are made of key columns. */
  #names: Set<string> | null = null;

  constructor(member: FlowMember, telling: Telling) {
    this.#member = member;
    this.#telling = telling;
    if (telling.keyColumns !== null) this.#nameAll(telling.keyColumns);
  }

  /** Another member has the same answer. */
  follow(member: FlowMember): void {
    this.#member = member;
  }

  shown(): readonly KeyedRow[] {
    return this.#member.shown().map((row) => this.#keyed(row));
  }

  /** What changes of the member, which it has taken already, are to clients. */
  ops(changes: readonly RowChange[]): EncodedOp[] {
    return this.#steadyOps(changes) ?? this.#anyOps(changes);
  }

  /** Where no row comes or goes, or takes another name; else null. */
  #steadyOps(changes: readonly RowChange[]): EncodedOp[] | null {
    const come: Row[] = [];
    for (const { old, next } of changes) {
      if (old === null || next === null || !this.#isSameName(old, next)) return null;
      come.push(next);
    }
    let before: Map<string, Row | null> | null = null;
    return this.#come(come).map(({ keyed, after, key }) => {
      // What is told as it is has no need of what it was.
      if (keyed.json.length < EDITED_LENGTH_MIN) return putOp(keyed, after);
      before ??= new Map(changes.map(({ old, next }) => [next?.key ?? '', old]));
      return updateOp(this.#keyed(must(before.get(key), 'the row that changed')), keyed, after);
    });
  }

  #isSameName(old: Row, next: Row): boolean {
    const { keyColumns } = this.#telling;
    if (this.#names === null || keyColumns === null) return old.key === next.key;
    return keyColumns.every((column) => old.values[column] === next.values[column]);
  }

  #anyOps(changes: readonly RowChange[]): EncodedOp[] {
    const gone = new Map<string, KeyedRow>();
    for (const { old } of changes) {
      if (old === null) continue;
      const row = this.#keyed(old);
      gone.set(row.keyJson, row);
    }
    const come = changes.flatMap(({ next }) => (next === null ? [] : [next]));
    const names = this.#names;
    if (names !== null) {
      for (const name of gone.keys()) names.delete(name);
      const added = come.map((row) => this.#nameOf(row)).filter((name) => !names.has(name));
      for (const name of added) names.add(name);
      if (names.size !== this.#member.size) {
        for (const name of added) names.delete(name);
        return this.#renamed([...names, ...gone.keys()]);
      }
    }
    const puts = this.#come(come).map(({ keyed, after }) => {
      const old = gone.get(keyed.keyJson);
      gone.delete(keyed.keyJson);
      return old === undefined ? putOp(keyed, after) : updateOp(old, keyed, after);
    });
    return [...Array.from(gone.values(), (row) => delOp(row)), ...puts];
  }

  /** In an order they come in that order. */
  #come(rows: readonly Row[]): readonly Come[] {
    if (!this.#telling.ordered)
      return rows.map((row) => ({ key: row.key, keyed: this.#keyed(row), after: undefined }));
    return this.#member.placesOf(rows.map(({ key }) => key)).map(({ key, previous }) => ({
      key,
      keyed: this.#keyed(this.#row(key)),
      after: previous === null ? null : { keyJson: this.#nameOf(this.#row(previous)) },
    }));
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

  #nameAll(columns: readonly number[]): void {
    const names = new Set<string>();
    for (const row of this.#member.rows()) names.add(nameOf(row, columns));
    if (names.size === this.#member.size) this.#names = names;
  }

  #keyed(row: Row): KeyedRow {
    return { keyJson: this.#nameOf(row), json: JSON.stringify(row.values.slice(0, this.#telling.visible)) };
  }

  #nameOf(row: Row): string {
    const { keyColumns } = this.#telling;
    if (this.#names !== null && keyColumns !== null) return nameOf(row, keyColumns);
    return JSON.stringify(hash('sha256', row.key, 'base64url').slice(0, 22));
  }
}

function nameOf(row: Row, columns: readonly number[]): string {
  return JSON.stringify(columnKey(row.values, columns));
}
