import { assert, must } from '@sluice/core/assert';
import type { KeyedRow } from '@sluice/core/engine/diff';
import { editOp, plainOp, type EncodedOp } from '@sluice/core/engine/held-row';
import type { Lsn } from '@sluice/core/lsn';
import { formatPosition, type Epoch } from '@sluice/core/position';
import type { ViewId, WireError } from '@sluice/core/wire';
import type { Cost } from './cost.js';
import { MessageBytes } from './message-bytes.js';
import type { Entry } from './port.js';

/** A version's name: the position it was made at. */
export interface Version {
  readonly epoch: Epoch;
  readonly lsn: Lsn;
}

/** The place of no view: nothing is published of it. */
export const NOWHERE = -1;

/*
 * A record: as long as a line of a processor's cache.
 *
 *   0      8        12      13       14          16
 *   │ LSN  │ epoch  │ state │ failed │ id length │ id …                                                       │
 *   └ of the version; no epoch: there is none yet
 */
const RECORD_BYTES = 64;
const LSN_WORDS = RECORD_BYTES / 8;
const EPOCH_WORDS = RECORD_BYTES / 4;
const [EPOCH_WORD, STATE, FAILED, ID_LENGTH, ID] = [2, 12, 13, 14, 16];
const ID_FORM = /^[\w-]{1,48}$/;
const NO_EPOCH = 0;
const RECORDS_MIN = 256;
/** Of a delta beside its operations and its epochs, at most. */
const HEAD_BYTES = 192;

/** States; 0 until it is told for the first time. */
const [VALID, GAP] = [1, 2];

/**
 * What the views of a host have published, and whether it holds: the bookkeeping that both gears share. It writes the
 * entries of `port.ts` and sees to their order: versions chain, a gap opens once and is closed by what comes next.
 *
 * Every change comes by here for each view that it alters, and finds what there is to a view in no cache. So that is one
 * record of bytes, which is read at once, beside those of all others, and not objects, each of which leads to the next.
 */
export class Publications {
  readonly #publish: (entry: Entry) => void;
  /** There were at most so many views at once. */
  #places = 0;
  /** So that what is read ahead is read for something. */
  read = 0;
  /** Places of views that are gone. */
  readonly #free: number[] = [];
  /** All that versions are of, from 1 on. */
  readonly #epochs: Epoch[] = [];
  #records = Buffer.from(new ArrayBuffer(RECORDS_MIN * RECORD_BYTES));
  #lsns = new BigUint64Array(this.#records.buffer);
  #words = new Uint32Array(this.#records.buffer);
  readonly #message = new MessageBytes();

  constructor(publish: (entry: Entry) => void) {
    this.#publish = publish;
  }

  /** @returns the place of a view that has published nothing yet */
  open(id: ViewId): number {
    assert(ID_FORM.test(id), 'an id stands in JSON as it is');
    const place = this.#free.pop() ?? this.#places++;
    const at = place * RECORD_BYTES;
    if (at === this.#records.length) this.#grow();
    this.#records[at + ID_LENGTH] = this.#records.write(id, at + ID, 'latin1');
    return place;
  }

  /** The place may be another view's from here on. */
  close(place: number): void {
    const at = place * RECORD_BYTES;
    this.#records.fill(0, at, at + RECORD_BYTES);
    this.#free.push(place);
  }

  /** Something is about to be published of these: their records are read side by side, each once it is known where it is. */
  ahead(views: readonly { readonly place: number }[]): void {
    let read = 0;
    for (const { place } of views) if (place !== NOWHERE) read += this.#records[place * RECORD_BYTES] ?? 0;
    this.read = read;
  }

  /** It has a version. */
  isBegun(place: number): boolean {
    return this.#words[place * EPOCH_WORDS + EPOCH_WORD] !== NO_EPOCH;
  }

  isValid(place: number): boolean {
    return this.#records[place * RECORD_BYTES + STATE] === VALID;
  }

  /** Its answer is an error. */
  isFailed(place: number): boolean {
    return this.#records[place * RECORD_BYTES + FAILED] === 1;
  }

  /** Not known to hold after `through`. */
  gap(place: number, through: Lsn): void {
    if (!this.isValid(place)) return;
    this.#records[place * RECORD_BYTES + STATE] = GAP;
    this.#publish({ kind: 'gap', place, through });
  }

  /** The first version, whole; or the next, when what leads to it is not known. */
  rows(place: number, at: Version, rows: readonly KeyedRow[], cost: Cost | null): void {
    this.#moveTo(place, at);
    this.#becomeValid(place, false);
    const message = this.#encodeRows(place, at, rows);
    cost?.told(rows.length, message.length);
    this.#publish({ kind: 'rows', place, at: at.lsn, message, count: rows.length });
  }

  /** The next version, by operations on the one before; without operations the same one holds again. */
  delta(place: number, to: Version, ops: readonly EncodedOp[], cost: Cost | null): void {
    const epoch = must(this.#epochOf(place), 'a delta needs a version to start from');
    const from = this.#lsnOf(place);
    const wasValid = this.isValid(place) && !this.isFailed(place);
    this.#becomeValid(place, false);
    const count = ops.length;
    if (count === 0) {
      if (!wasValid) this.#publish({ kind: 'again', place, from: to.lsn });
      return;
    }
    this.#moveTo(place, to);
    const plain = joined(ops, plainOp);
    const message = this.#encodeDelta(place, epoch, from, to, plain);
    const edits = ops.every(isPlain) ? plain : joined(ops, editOp);
    const edited = edits === plain ? null : this.#encodeDelta(place, epoch, from, to, edits);
    cost?.told(count, (edited ?? message).length);
    const entry = { kind: 'delta', place, from, to: to.lsn, message, count } as const;
    this.#publish(edited === null ? entry : { ...entry, edited });
  }

  /** From here the answer is an error (C17). */
  error(place: number, at: Version, error: WireError): void {
    this.#becomeValid(place, true);
    this.#publish({ kind: 'error', place, from: at.lsn, error });
  }

  /** Answers a request for the current version. @returns false when there is none yet. */
  answer(place: number, ref: number, rows: readonly KeyedRow[], cost: Cost | null): boolean {
    const epoch = this.#epochOf(place);
    if (epoch === null) return false;
    const at = { epoch, lsn: this.#lsnOf(place) };
    const message = this.#encodeRows(place, at, rows);
    cost?.told(rows.length, message.length);
    this.#publish({
      kind: 'rows',
      place,
      at: at.lsn,
      ref,
      message,
      count: rows.length,
    });
    return true;
  }

  end(place: number, error: WireError): void {
    this.#publish({ kind: 'ended', place, error });
  }

  #idOf(place: number): ViewId {
    const id = place * RECORD_BYTES + ID;
    const length = this.#records[id - ID + ID_LENGTH] ?? 0;
    assert(length > 0, 'a view is published while it is open');
    return this.#records.toString('latin1', id, id + length);
  }

  #becomeValid(place: number, isFailed: boolean): void {
    this.#records[place * RECORD_BYTES + STATE] = VALID;
    this.#records[place * RECORD_BYTES + FAILED] = isFailed ? 1 : 0;
  }

  /** Of its version; null when there is none yet. */
  #epochOf(place: number): Epoch | null {
    const epoch = this.#words[place * EPOCH_WORDS + EPOCH_WORD] ?? NO_EPOCH;
    return epoch === NO_EPOCH ? null : (this.#epochs[epoch - 1] ?? '');
  }

  #lsnOf(place: number): Lsn {
    return this.#lsns[place * LSN_WORDS] as Lsn;
  }

  #moveTo(place: number, { epoch, lsn }: Version): void {
    let at = this.#epochs.lastIndexOf(epoch);
    if (at < 0) at = this.#epochs.push(epoch) - 1;
    this.#words[place * EPOCH_WORDS + EPOCH_WORD] = at + 1;
    this.#lsns[place * LSN_WORDS] = lsn;
  }

  #encodeDelta(place: number, epoch: Epoch, from: Lsn, to: Version, ops: string): Uint8Array {
    const message = this.#message;
    message.begin(HEAD_BYTES + epoch.length + to.epoch.length, ops);
    message.ascii('{"kind":"delta","view":"');
    const id = place * RECORD_BYTES + ID;
    // As it stands in the record that is being read anyway.
    message.bytes(this.#records, id, id + (this.#records[id - ID + ID_LENGTH] ?? 0));
    message.ascii('","from":"');
    message.position(epoch, from);
    message.ascii('","to":"');
    message.position(to.epoch, to.lsn);
    message.ascii('","ops":[');
    message.text(ops);
    message.ascii(']}');
    return message.end();
  }

  #encodeRows(place: number, at: Version, rows: readonly KeyedRow[]): Uint8Array {
    const list = rows.map((row) => `[${row.keyJson},${row.json}]`).join(',');
    const text = `{"kind":"rows","view":"${this.#idOf(place)}","at":"${formatPosition(at.epoch, at.lsn)}","rows":[${list}]}`;
    return Buffer.from(text, 'utf8');
  }

  #grow(): void {
    const { buffer } = this.#records;
    this.#records = Buffer.from(new ArrayBuffer(2 * buffer.byteLength));
    this.#records.set(new Uint8Array(buffer));
    this.#lsns = new BigUint64Array(this.#records.buffer);
    this.#words = new Uint32Array(this.#records.buffer);
  }
}

function isPlain(op: EncodedOp): boolean {
  return typeof op === 'string';
}

function joined(ops: readonly EncodedOp[], textOf: (op: EncodedOp) => string): string {
  let text = '';
  for (const op of ops) text = text === '' ? textOf(op) : `${text},${textOf(op)}`;
  return text;
}
