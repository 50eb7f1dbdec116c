import type { Delta, Move, Op, Rows, ServerMessage } from '@sluice/core/wire';

/** What stands on a client's wire and gives it a message as it is, changed, later, or not at all. */
export type Tamper = (text: string) => readonly string[];

/**
 * Faults of the kinds that a broken server would have, each quiet: the chain of deltas stays whole and no position is
 * malformed, so that only somebody who knows the truth can find them.
 */
export const FAULTS: Readonly<Record<string, () => Tamper>> = {
  'loses an operation': () => onDelta((delta) => [{ ...delta, ops: delta.ops.slice(0, -1) }]),
  'keeps a deleted row': () =>
    onDelta((delta) => [{ ...delta, ops: delta.ops.filter(([kind]) => kind !== 'del') }]),
  'changes a value': () => onDelta((delta) => [{ ...delta, ops: delta.ops.map(changed) }]),
  'swaps two rows': () => on<Rows>('rows', (rows) => [{ ...rows, rows: swapped(rows.rows) }]),
  'shows a row too many': () =>
    on<Rows>('rows', (rows) => {
      const first = rows.rows[0];
      return [first ? { ...rows, rows: [...rows.rows, [`${first[0]} again`, first[1]]] } : rows];
    }),
  'is a move late': () => {
    // A delta now and then waits until the move that it belongs to is through.
    let held: Delta[] = [];
    let count = 0;
    return (text) => {
      const message = JSON.parse(text) as ServerMessage;
      if (
        message.kind === 'delta' &&
        (held.some(({ view }) => view === message.view) || ++count % 10 === 0)
      ) {
        held.push(message);
        return [];
      }
      if (message.kind !== 'move') return [text];
      const late = held.map((delta) => JSON.stringify(delta));
      held = [];
      return [text, ...late];
    };
  },
  'goes a move back': () => {
    let before: Move | null = null;
    return on<Move>('move', (move) => {
      const shown = before === null || move.current ? move : { ...move, position: before.position };
      before = move;
      return [shown];
    });
  },
};

function on<M extends ServerMessage>(
  kind: M['kind'],
  change: (message: M) => readonly ServerMessage[],
): Tamper {
  return (text) => {
    const message = JSON.parse(text) as ServerMessage;
    return message.kind === kind ? change(message as M).map((each) => JSON.stringify(each)) : [text];
  };
}

function onDelta(change: (delta: Delta) => readonly ServerMessage[]): Tamper {
  return on<Delta>('delta', change);
}

function changed(op: Op): Op {
  if (op[0] !== 'put') return op;
  const row = op[2].map((value, i) => (i === op[2].length - 1 ? `${value ?? ''}0` : value));
  return op.length === 4 ? ['put', op[1], row, op[3]] : ['put', op[1], row];
}

function swapped<T>(rows: readonly T[]): readonly T[] {
  const [first, second, ...rest] = rows;
  return first === undefined || second === undefined ? rows : [second, first, ...rest];
}
