import type { KeyedRow } from '@sluice/core/engine/diff';
import { editOp, plainOp, type EncodedOp } from '@sluice/core/engine/held-row';
import { highHalf, lowHalf, lsnOfHalves, type Lsn } from '@sluice/core/lsn';
import { formatPosition, type Epoch, type Position } from '@sluice/core/position';
import type { Shape } from '@sluice/core/shape';
import type { ViewId, WireError } from '@sluice/core/wire';
import type { Cost } from './cost.js';
import type { Entry, QuerySpec } from './port.js';

/** A version's name: the position it was made at. */
export interface Version {
  readonly epoch: Epoch;
  readonly lsn: Lsn;
}

/**
 * What a view has published, and whether it holds: the bookkeeping that both gears share. It writes the entries
 * of `port.ts` and sees to their order: versions chain, a gap opens once and is closed by what comes next.
 *
 * Every change of it comes by here, and mostly finds it in no cache: it is one object, with its version in it.
 */
export class View {
  readonly id: ViewId;
  readonly shape: Shape;
  /** How it was asked for: to plan it again when the schema changes. */
  readonly spec: QuerySpec;
  readonly #publish: (entry: Entry) => void;
  /** Of the template that maintains it. */
  cost: Cost | null = null;
  /** `open`s without their `release`. */
  references = 0;
  /** Of its version; null before the first. */
  #epoch: Epoch | null = null;
  #lsnHigh = 0;
  #lsnLow = 0;
  #state: 'hydrating' | 'valid' | 'gap' | 'ended' = 'hydrating';
  #failed = false;

  /** @param publish one function for all views of a host */
  constructor(id: ViewId, shape: Shape, spec: QuerySpec, publish: (entry: Entry) => void) {
    this.id = id;
    this.shape = shape;
    this.spec = spec;
    this.#publish = publish;
  }

  /** It has a version. */
  get isBegun(): boolean {
    return this.#epoch !== null;
  }

  get isValid(): boolean {
    return this.#state === 'valid';
  }

  /** Its answer is an error. */
  get isFailed(): boolean {
    return this.#failed;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Not known to hold after `through`. */
  gap(through: Lsn): void {
    if (this.#state !== 'valid') return;
    this.#state = 'gap';
    this.#publish({ kind: 'gap', view: this.id, through });
  }

  /** The first version, whole; or the next, when what leads to it is not known. */
  rows(at: Version, rows: readonly KeyedRow[]): void {
    this.#moveTo(at);
    this.#state = 'valid';
    this.#failed = false;
    const message = this.#encodeRows(at, rows);
    this.#publish({ kind: 'rows', view: this.id, at: at.lsn, message, count: rows.length });
  }

  /** The next version, by operations on the one before; without operations the same one holds again. */
  delta(to: Version, ops: readonly EncodedOp[]): void {
    const from = this.#version();
    if (from === null) throw new Error('assertion failed: a delta needs a version to start from');
    const wasValid = this.#state === 'valid' && !this.#failed;
    this.#state = 'valid';
    this.#failed = false;
    if (ops.length === 0) {
      if (!wasValid) this.#publish({ kind: 'again', view: this.id, from: to.lsn });
      return;
    }
    this.#moveTo(to);
    const message = this.#encodeDelta(from, to, ops.map(plainOp));
    const edits = ops.every(isPlain) ? [] : ops.map(editOp);
    const edited = edits.some(isEdit) ? this.#encodeDelta(from, to, edits) : null;
    this.cost?.told(ops.length, (edited ?? message).length);
    const count = ops.length;
    const entry = { kind: 'delta', view: this.id, from: from.lsn, to: to.lsn, message, count } as const;
    this.#publish(edited === null ? entry : { ...entry, edited });
  }

  /** From here the answer is an error (C17). */
  error(at: Version, error: WireError): void {
    this.#state = 'valid';
    this.#failed = true;
    this.#publish({ kind: 'error', view: this.id, from: at.lsn, error });
  }

  /** Answers a request for the current version. @returns false when there is none yet. */
  answer(ref: number, rows: readonly KeyedRow[]): boolean {
    const at = this.#version();
    if (at === null) return false;
    const message = this.#encodeRows(at, rows);
    this.#publish({ kind: 'rows', view: this.id, at: at.lsn, ref, message, count: rows.length });
    return true;
  }

  end(error: WireError): void {
    this.#state = 'ended';
    this.#publish({ kind: 'ended', view: this.id, error });
  }

  #version(): Version | null {
    if (this.#epoch === null) return null;
    return { epoch: this.#epoch, lsn: lsnOfHalves(this.#lsnHigh, this.#lsnLow) };
  }

  #moveTo({ epoch, lsn }: Version): void {
    this.#epoch = epoch;
    this.#lsnHigh = highHalf(lsn);
    this.#lsnLow = lowHalf(lsn);
  }

  #encodeDelta(from: Version, to: Version, ops: readonly string[]): Uint8Array {
    const between = `"from":"${position(from)}","to":"${position(to)}"`;
    return encode(`{"kind":"delta","view":"${this.id}",${between},"ops":[${ops.join(',')}]}`);
  }

  #encodeRows(at: Version, rows: readonly KeyedRow[]): Uint8Array {
    const list = rows.map((row) => `[${row.keyJson},${row.json}]`).join(',');
    const message = encode(`{"kind":"rows","view":"${this.id}","at":"${position(at)}","rows":[${list}]}`);
    this.cost?.told(rows.length, message.length);
    return message;
  }
}

function isPlain(op: EncodedOp): boolean {
  return typeof op === 'string';
}

function isEdit(op: string): boolean {
  return op.startsWith('["edit"');
}

function position(version: Version): Position {
  return formatPosition(version.epoch, version.lsn);
}

function encode(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
