import type { KeyedRow } from '@sluice/core/engine/diff';
import type { EncodedOp } from '@sluice/core/engine/held-row';
import type { Lsn } from '@sluice/core/lsn';
import type { Shape } from '@sluice/core/shape';
import type { ViewId, WireError } from '@sluice/core/wire';
import type { Cost } from './cost.js';
import type { QuerySpec } from './port.js';
import { NOWHERE, type Publications, type Version } from './publications.js';

/** A view of a host, with its place among the publications: as long as it is open. After that nothing is published of it. */
export class View {
  readonly id: ViewId;
  readonly shape: Shape;
  /** How it was asked for: to plan it again when the schema changes. */
  readonly spec: QuerySpec;
  readonly #publications: Publications;
  #place: number;
  /** Of the template that maintains it. */
  cost: Cost | null = null;
  /** `open`s without their `release`. */
  references = 0;

  constructor(id: ViewId, shape: Shape, spec: QuerySpec, publications: Publications) {
    this.id = id;
    this.shape = shape;
    this.spec = spec;
    this.#publications = publications;
    this.#place = publications.open(id);
  }

  /** Where what is published of it stands; `NOWHERE` when it is closed. */
  get place(): number {
    return this.#place;
  }

  /** It has a version. */
  get isBegun(): boolean {
    return this.#isOpen && this.#publications.isBegun(this.#place);
  }

  get isValid(): boolean {
    return this.#isOpen && this.#publications.isValid(this.#place);
  }

  /** Its answer is an error. */
  get isFailed(): boolean {
    return this.#isOpen && this.#publications.isFailed(this.#place);
  }

  /** Not known to hold after `through`. */
  gap(through: Lsn): void {
    if (this.#isOpen) this.#publications.gap(this.#place, through);
  }

  /** The first version, whole; or the next, when what leads to it is not known. */
  rows(at: Version, rows: readonly KeyedRow[]): void {
    if (this.#isOpen) this.#publications.rows(this.#place, at, rows, this.cost);
  }

  /** The next version, by operations on the one before; without operations the same one holds again. */
  delta(to: Version, ops: readonly EncodedOp[]): void {
    if (this.#isOpen) this.#publications.delta(this.#place, to, ops, this.cost);
  }

  /** From here the answer is an error (C17). */
  error(at: Version, error: WireError): void {
    if (this.#isOpen) this.#publications.error(this.#place, at, error);
  }

  /** Answers a request for the current version. @returns false when there is none yet. */
  answer(ref: number, rows: readonly KeyedRow[]): boolean {
    return this.#isOpen && this.#publications.answer(this.#place, ref, rows, this.cost);
  }

  /** It is over, as clients are told. */
  end(error: WireError): void {
    if (this.#isOpen) this.#publications.end(this.#place, error);
    this.close();
  }

  close(): void {
    if (this.#isOpen) this.#publications.close(this.#place);
    this.#place = NOWHERE;
  }

  get isClosed(): boolean {
    return !this.#isOpen;
  }

  get #isOpen(): boolean {
    return this.#place !== NOWHERE;
  }
}
