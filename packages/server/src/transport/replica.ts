import { must } from '@sluice/core/assert';
import type { Position } from '@sluice/core/position';
import { bucketOf } from '@sluice/core/digest';
import { editRow } from '@sluice/core/edit';
import type { Shape } from '@sluice/core/shape';
import type { Row, RowKey } from '@sluice/core/value';
import type { Delta, Difference, Move, Op, Rows, ServerMessage, ViewId } from '@sluice/core/wire';

/*
 * What a client of the protocol holds: the shortest complete one. Messages about views are staged; a move applies
 * them all. The plain forms of the transport stand on it, and so do tests.
 */

export interface ReplicaView {
  readonly rows: ReadonlyMap<RowKey, Row>;
  /** The keys in order; for views without an order in the order they came. */
  readonly keys: readonly RowKey[];
  /** Version that the rows are. */
  readonly at: Position | null;
}

type Staged = Rows | Delta | Difference;

const EMPTY: ReplicaView = { rows: new Map(), keys: [], at: null };

export class Replica {
  readonly #views = new Map<ViewId, ReplicaView>();
  readonly #ordered = new Map<ViewId, boolean>();
  readonly #seed: string;
  #staged: Staged[] = [];

  /** @param seed of the server's `hello`; needed only by who resumes */
  constructor(seed = '') {
    this.#seed = seed;
  }

  view(id: ViewId): ReplicaView {
    return this.#views.get(id) ?? EMPTY;
  }

  open(id: ViewId, shape: Shape): void {
    this.#ordered.set(id, shape.ordered);
  }

  /** What was held of a view before this connection: what a `resume` described. */
  seed(id: ViewId, held: ReplicaView): void {
    this.#views.set(id, held);
  }

  close(id: ViewId): void {
    this.#views.delete(id);
    this.#ordered.delete(id);
    this.#staged = this.#staged.filter(({ view }) => view !== id);
  }

  stage(message: ServerMessage): void {
    if (message.kind === 'rows' || message.kind === 'delta' || message.kind === 'difference') {
      this.#staged.push(message);
    }
  }

  /** @returns the views whose rows may have changed. */
  move(_: Move): ReadonlySet<ViewId> {
    const changed = new Set<ViewId>();
    for (const message of this.#staged) {
      this.#views.set(message.view, this.#apply(message));
      changed.add(message.view);
    }
    this.#staged = [];
    return changed;
  }

  #apply(message: Staged): ReplicaView {
    const held = this.view(message.view);
    switch (message.kind) {
      case 'rows':
        return {
          rows: new Map(message.rows),
          keys: message.rows.map(([key]) => key),
          at: message.at,
        };
      case 'delta':
        if (held.at !== message.from) throw new Error(`assertion failed: ${message.view}: a broken chain`);
        return applyOps(held, message.ops, message.to);
      case 'difference':
        return this.#mend(held, message);
    }
  }

  #mend(held: ReplicaView, message: Difference): ReplicaView {
    const dropped = new Set(message.buckets);
    const bucket = dropped.size === 0 ? () => -1 : bucketOf(this.#seed, message.of);
    const rows = new Map([...held.rows].filter(([key]) => !dropped.has(bucket(key))));
    for (const [key, row] of message.rows) rows.set(key, row);
    // What was not held comes last; without an order of its own the rest stands as it stood.
    const keys = new Set([...(this.#ordered.get(message.view) === true ? held.keys : []), ...rows.keys()]);
    return { rows, keys: message.order ?? [...keys], at: message.at };
  }
}

function applyOps(held: ReplicaView, ops: readonly Op[], at: Position): ReplicaView {
  const rows = new Map(held.rows);
  const keys = [...held.keys];
  for (const op of ops) {
    const [kind, key] = op;
    const place = rows.has(key) ? keys.indexOf(key) : -1;
    if (kind === 'del') {
      rows.delete(key);
      if (place >= 0) keys.splice(place, 1);
      continue;
    }
    rows.set(key, kind === 'put' ? op[2] : editRow(must(rows.get(key), 'an edit is of a row'), op[2]));
    const after = op[3];
    if (after === undefined) {
      if (place < 0) keys.push(key);
      continue;
    }
    if (place >= 0) keys.splice(place, 1);
    keys.splice(after === null ? 0 : keys.indexOf(after) + 1, 0, key);
  }
  return { rows, keys, at };
}
