import { asLsn } from '@sluice/core/lsn';
import { formatPosition, type Position } from '@sluice/core/position';
import type { Shape } from '@sluice/core/shape';
import type { Row, RowKey } from '@sluice/core/value';
import type { Op, ServerMessage, ViewId, WireError } from '@sluice/core/wire';
import type { Entry, FromViews, QuerySpec, ToViews, ViewsPort } from '../views/port.js';
import { Places } from './places.js';

export type ScriptEntry =
  | {
      readonly rows: ViewId;
      readonly at: number;
      readonly is: readonly (readonly [RowKey, Row])[];
      readonly ref?: number;
    }
  | {
      readonly delta: ViewId;
      readonly from: number;
      readonly to: number;
      readonly ops: readonly Op[];
      /** The same with edits. */
      readonly edited?: readonly Op[];
    }
  | { readonly gap: ViewId; readonly through: number }
  | { readonly again: ViewId; readonly from: number }
  | { readonly error: ViewId; readonly from: number; readonly is: WireError }
  | { readonly ended: ViewId; readonly is: WireError };

/** The left side of the seam, told what to say by a test: the messages are those of the real one. */
export class ScriptedViews implements ViewsPort {
  readonly posted: ToViews[] = [];
  epoch = '7.1';
  /** Shape of the view that a query opens; by default one text column, unordered. */
  shape: Shape = { columns: [{ name: 'v', type: 'text', decoder: 'text' }], ordered: false };
  /** Names the view of a query; null: the test answers `open` itself. */
  viewOf: ((spec: QuerySpec) => ViewId) | null = (spec) => spec.sql;
  readonly #places = new Places();
  #listener: (message: FromViews) => void = () => undefined;

  listen(listener: (message: FromViews) => void): void {
    this.#listener = listener;
  }

  post(message: ToViews): void {
    this.posted.push(message);
    if (message.kind === 'open' && this.viewOf !== null) this.opened(message.ref, this.viewOf(message.spec));
  }

  tell(message: FromViews): void {
    this.#listener(message);
  }

  opened(ref: number, view: ViewId): void {
    this.tell({ kind: 'opened', ref, ...this.at(view), shape: this.shape, gear: 'incremental' });
  }

  at(view: ViewId): { readonly view: ViewId; readonly place: number } {
    return { view, place: this.#places.of(view) };
  }

  /** What was posted of one kind, and forgets it. */
  take<K extends ToViews['kind']>(kind: K): Extract<ToViews, { kind: K }>[] {
    const taken = this.posted.filter(
      (message): message is Extract<ToViews, { kind: K }> => message.kind === kind,
    );
    this.posted.splice(0, this.posted.length, ...this.posted.filter((message) => message.kind !== kind));
    return taken;
  }

  position(lsn: number, epoch: string = this.epoch): Position {
    return formatPosition(epoch, asLsn(BigInt(lsn)));
  }

  batch(position: number, ...entries: readonly ScriptEntry[]): void {
    this.tell({
      kind: 'batch',
      epoch: this.epoch,
      position: asLsn(BigInt(position)),
      entries: entries.map((entry) => this.#entry(entry)),
    });
  }

  #entry(entry: ScriptEntry): Entry {
    const lsn = (at: number): ReturnType<typeof asLsn> => asLsn(BigInt(at));
    if ('rows' in entry) {
      const { rows: view, at, is, ref } = entry;
      const message = encode({ kind: 'rows', view, at: this.position(at), rows: is });
      return {
        kind: 'rows',
        ...this.at(view),
        at: lsn(at),
        message,
        count: is.length,
        ...(ref === undefined ? {} : { ref }),
      };
    }
    if ('delta' in entry) {
      const { delta: view, from, to, ops, edited } = entry;
      const between = { view, from: this.position(from), to: this.position(to) };
      return {
        kind: 'delta',
        ...this.at(view),
        from: lsn(from),
        to: lsn(to),
        message: encode({ kind: 'delta', ...between, ops }),
        ...(edited === undefined ? {} : { edited: encode({ kind: 'delta', ...between, ops: edited }) }),
        count: ops.length,
      };
    }
    if ('gap' in entry) return { kind: 'gap', ...this.at(entry.gap), through: lsn(entry.through) };
    if ('again' in entry) return { kind: 'again', ...this.at(entry.again), from: lsn(entry.from) };
    if ('error' in entry)
      return { kind: 'error', ...this.at(entry.error), from: lsn(entry.from), error: entry.is };
    return { kind: 'ended', ...this.at(entry.ended), error: entry.is };
  }
}

function encode(message: ServerMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}
