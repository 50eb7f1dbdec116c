import { splicesBetween } from '@sluice/core/engine/splices';
import { asLsn } from '@sluice/core/lsn';
import { formatPosition, parsePosition, type Position } from '@sluice/core/position';
import type { Row, RowKey } from '@sluice/core/value';
import type { ColumnEdit, Op, ServerMessage, ViewId, WireError } from '@sluice/core/wire';
import type { Entry, FromViews, ToViews, ViewsPort } from '../views/port.js';
import { Places } from './places.js';

/** What Postgres would answer: keyed rows in order, or an error. */
export type Answer = { readonly rows: readonly (readonly [RowKey, Row])[] } | { readonly error: WireError };

interface Moment {
  readonly epoch: number;
  readonly lsn: number;
  readonly answers: ReadonlyMap<ViewId, Answer>;
}

interface Hosted {
  references: number;
  /** Moment of the version published last; null while hydrating. */
  version: Moment | null;
  /** The rows of that version. */
  rows: readonly (readonly [RowKey, Row])[];
  state: 'hydrating' | 'valid' | 'gap';
  failed: boolean;
  /** Number of the moment that opened the gap: it stands nowhere before. */
  changed: number;
}

/**
 * A history of the database, and views over it that tell of it by the rules of the seam: some at once, some late and
 * with gaps. It knows the truth at every position, so it can say whether what a client holds is right.
 */
export class ModelViews implements ViewsPort {
  /** Views by name: `late` ones answer only when told to run. */
  readonly #kinds: ReadonlyMap<ViewId, { readonly late: boolean; readonly ordered: boolean }>;
  readonly #hosted = new Map<ViewId, Hosted>();
  readonly #places = new Places();
  readonly #history: Moment[] = [];
  #entries: Entry[] = [];
  #snapshots: { readonly ref: number; readonly view: ViewId }[] = [];
  #opens: Extract<ToViews, { kind: 'open' }>[] = [];
  #listener: (message: FromViews) => void = () => undefined;
  #epoch = 0;
  #lsn = 100;

  constructor(kinds: ReadonlyMap<ViewId, { readonly late: boolean; readonly ordered: boolean }>) {
    this.#kinds = kinds;
    const answers = new Map([...kinds.keys()].map((view) => [view, { rows: [] }] as const));
    this.#history.push({ epoch: 0, lsn: 100, answers });
  }

  listen(listener: (message: FromViews) => void): void {
    this.#listener = listener;
  }

  post(message: ToViews): void {
    if (message.kind === 'open') this.#opens.push(message);
    else if (message.kind === 'snapshot') this.#snapshots.push(message);
    else if (message.kind === 'release') {
      const hosted = this.#hosted.get(message.view);
      if (hosted !== undefined && --hosted.references === 0) this.#close(message.view);
    }
  }

  // ------------------------------------------------------------ the truth

  get position(): Position {
    return this.text(this.#epoch, this.#lsn);
  }

  text(epoch: number, lsn: number): Position {
    return formatPosition(`7.${epoch}`, asLsn(BigInt(lsn)));
  }

  answer(view: ViewId, position: Position): Answer {
    const parsed = parsePosition(position);
    if (parsed === null) throw new Error(`no position: ${position}`);
    const [epoch, lsn] = [Number(parsed.epoch.slice(2)), Number(parsed.lsn)];
    const moment = this.#history.findLast((one) => one.epoch === epoch && one.lsn <= lsn);
    const answer = moment?.answers.get(view);
    if (answer === undefined) throw new Error(`${view} is not at ${position}`);
    return answer;
  }

  // ------------------------------------------------------------ what happens

  /** Answers the opens that wait. */
  open(): void {
    for (const { ref, spec } of this.#opens.splice(0)) {
      this.flush();
      const view = spec.sql;
      const hosted = this.#hosted.get(view);
      if (hosted === undefined) {
        const fresh = { version: null, rows: [], failed: false, changed: 0 };
        this.#hosted.set(view, { references: 1, state: 'hydrating', ...fresh });
      } else hosted.references += 1;
      const ordered = this.#kinds.get(view)?.ordered === true;
      const shape = { columns: [{ name: 'v', type: 'text', decoder: 'text' as const }], ordered };
      this.#listener({
        kind: 'opened',
        ref,
        ...this.#at(view),
        shape,
        gear: 'rerun',
        reason: 'it is a model',
      });
    }
  }

  /** A commit that gives these views new answers. */
  commit(step: number, changes: ReadonlyMap<ViewId, Answer>): void {
    this.#lsn += step;
    const answers = new Map([...this.#now().answers, ...changes]);
    this.#history.push({ epoch: this.#epoch, lsn: this.#lsn, answers });
    for (const [view, hosted] of this.#hosted) {
      if (!changes.has(view)) continue;
      if (this.#kinds.get(view)?.late === true) this.#gap(view, hosted, this.#history.length - 1);
      else if (hosted.state === 'valid') this.#publish(view, hosted, this.#now());
    }
  }

  /** The stream goes on without a commit. */
  progress(step: number): void {
    this.#lsn += step;
  }

  /** Runs a view, at a moment some way back, and tells where its answer stands. */
  run(view: ViewId, back: number): void {
    const hosted = this.#hosted.get(view);
    if (hosted === undefined || hosted.state === 'valid') return;
    const published = hosted.version === null ? -1 : this.#history.indexOf(hosted.version);
    const last = this.#history.length - 1;
    const epochStart = this.#history.findIndex((moment) => moment.epoch === this.#epoch);
    // An incremental view hydrates at the tip; a late one wherever its snapshot happens to stand.
    const first = Math.max(published + 1, epochStart, hosted.changed);
    const at = this.#kinds.get(view)?.late === true ? Math.max(Math.min(first, last), last - back) : last;
    const moment = this.#history[at];
    if (moment === undefined) return;
    this.#publish(view, hosted, moment);
    const answer = moment.answers.get(view);
    const next = this.#history.findIndex((later, i) => i > at && later.answers.get(view) !== answer);
    if (next >= 0) this.#gap(view, hosted, next);
  }

  /** Another history: everything is hydrated anew. */
  restart(lsn: number): void {
    this.#lsn += 1;
    const { answers } = this.#now();
    this.#history.push({ epoch: this.#epoch, lsn: this.#lsn, answers });
    for (const [view, hosted] of this.#hosted) this.#gap(view, hosted, this.#history.length - 1);
    this.flush();
    this.#epoch += 1;
    this.#lsn = lsn;
    this.#history.push({ epoch: this.#epoch, lsn, answers });
  }

  end(view: ViewId, error: WireError): void {
    if (!this.#hosted.has(view)) return;
    this.#entries.push({ kind: 'ended', ...this.#at(view), error });
    this.#close(view);
  }

  /** Sends the batch. */
  flush(): void {
    const asked = this.#snapshots;
    this.#snapshots = [];
    for (const { ref, view } of asked) {
      const hosted = this.#hosted.get(view);
      if (hosted === undefined) continue;
      if (hosted.version === null) this.#snapshots.push({ ref, view });
      else this.#rows(view, hosted.version, hosted.rows, ref);
    }
    const entries = this.#entries;
    this.#entries = [];
    this.#listener({ kind: 'batch', epoch: `7.${this.#epoch}`, position: asLsn(BigInt(this.#lsn)), entries });
  }

  // ------------------------------------------------------------ inside

  #at(view: ViewId): { readonly view: ViewId; readonly place: number } {
    return { view, place: this.#places.of(view) };
  }

  #close(view: ViewId): void {
    this.#hosted.delete(view);
    this.#places.close(view);
  }

  #now(): Moment {
    const moment = this.#history.at(-1);
    if (moment === undefined) throw new Error('no history');
    return moment;
  }

  /** Not known to be valid from that moment on. */
  #gap(view: ViewId, hosted: Hosted, moment: number): void {
    if (hosted.state !== 'valid') return;
    hosted.state = 'gap';
    hosted.changed = moment;
    const through = (this.#history[moment]?.lsn ?? 0) - 1;
    this.#entries.push({ kind: 'gap', ...this.#at(view), through: asLsn(BigInt(through)) });
  }

  #publish(view: ViewId, hosted: Hosted, moment: Moment): void {
    const answer = moment.answers.get(view);
    if (answer === undefined) return;
    const from = asLsn(BigInt(moment.lsn));
    const open = hosted.state === 'valid' && !hosted.failed;
    hosted.state = 'valid';
    if ('error' in answer) {
      hosted.failed = true;
      this.#entries.push({ kind: 'error', ...this.#at(view), from, error: answer.error });
      return;
    }
    hosted.failed = false;
    const { version, rows } = hosted;
    if (version !== null && JSON.stringify(rows) === JSON.stringify(answer.rows)) {
      if (!open) this.#entries.push({ kind: 'again', ...this.#at(view), from });
      return;
    }
    hosted.version = moment;
    hosted.rows = answer.rows;
    if (version === null) {
      this.#rows(view, moment, answer.rows);
      return;
    }
    const ordered = this.#kinds.get(view)?.ordered === true;
    const between = { from: this.text(version.epoch, version.lsn), to: this.text(moment.epoch, moment.lsn) };
    const ops = diff(rows, answer.rows, ordered, false);
    const edited = diff(rows, answer.rows, ordered, true);
    this.#entries.push({
      kind: 'delta',
      ...this.#at(view),
      from: asLsn(BigInt(version.lsn)),
      to: from,
      message: encode({ kind: 'delta', view, ...between, ops }),
      ...(edited.some(([kind]) => kind === 'edit')
        ? { edited: encode({ kind: 'delta', view, ...between, ops: edited }) }
        : {}),
      count: ops.length,
    });
  }

  #rows(view: ViewId, moment: Moment, rows: Hosted['rows'], ref?: number): void {
    const message = encode({ kind: 'rows', view, at: this.text(moment.epoch, moment.lsn), rows });
    const at = asLsn(BigInt(moment.lsn));
    this.#entries.push({
      kind: 'rows',
      ...this.#at(view),
      at,
      message,
      count: rows.length,
      ...(ref === undefined ? {} : { ref }),
    });
  }
}

/** Operations that lead from one list of rows to another; for ordered ones every row names its predecessor. */
function diff(before: Hosted['rows'], after: Hosted['rows'], ordered: boolean, edits: boolean): Op[] {
  const keys = new Set(after.map(([key]) => key));
  const ops: Op[] = before.flatMap(([key]) => (keys.has(key) ? [] : [['del', key] as const]));
  const old = new Map(before);
  after.forEach(([key, row], i) => {
    const was = old.get(key);
    if (!ordered && JSON.stringify(was) === JSON.stringify(row)) return;
    const op =
      edits && was !== undefined ? (['edit', key, editsOf(was, row)] as const) : (['put', key, row] as const);
    ops.push(ordered ? ([...op, after[i - 1]?.[0] ?? null] as Op) : op);
  });
  return ops;
}

function editsOf(before: Row, after: Row): ColumnEdit[] {
  return after.flatMap((text, column): ColumnEdit[] => {
    const was = before[column] ?? null;
    if (text === was) return [];
    return [[column, text === null || was === null ? text : splicesBetween(was, text)]];
  });
}

function encode(message: ServerMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}
