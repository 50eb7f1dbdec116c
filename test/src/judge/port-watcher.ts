import { editRow } from '@sluice/core/edit';
import type { Delta, Op, Rows } from '@sluice/core/wire';
import type { Row, RowKey } from '@sluice/core/value';
import type { Entry, FromViews, Principal, ViewsPort } from '@sluice/server/views/port';
import { answerOf, errorAnswer, type Answer } from './answer.js';
import type { Judge, SeenView } from './judge.js';
import type { Bound } from './query.js';

interface PortView {
  readonly bound: Bound;
  readonly gear: string;
  readonly rows: Map<RowKey, Row>;
  /** Keys in order, of an ordered view. */
  readonly order: RowKey[];
  at: bigint | null;
  /** Where the port stood when it was opened: its first version is not before this. */
  readonly since: bigint;
  error: string | null;
  /** Not known to be valid after this. */
  gap: bigint | null;
  answer: Answer | null;
  /** How often it was opened and not let go. */
  opens: number;
}

/**
 * The seam between views and sessions, judged by itself: each version at the position that it carries, at the last
 * one before a gap, and at the end of each batch. What fails here is not the fault of sessions or clients.
 */
export class PortWatcher {
  readonly #name: string;
  readonly #port: ViewsPort;
  readonly #judge: Judge;
  readonly #principal: Principal;
  readonly #asked = new Map<number, Bound>();
  readonly #views = new Map<string, PortView>();
  /** Which view entries are about. */
  readonly #places = new Map<number, string>();
  #refs = 0;
  readonly refusals: string[] = [];
  position = 0n;

  constructor(name: string, port: ViewsPort, judge: Judge, principal: Principal) {
    this.#name = name;
    this.#port = port;
    this.#judge = judge;
    this.#principal = principal;
    judge.join(name);
    port.listen((message) => this.#hear(message));
  }

  open(bound: Bound): void {
    const ref = ++this.#refs;
    this.#asked.set(ref, bound);
    const { sql } = bound.query;
    this.#port.post({
      kind: 'open',
      ref,
      spec: { sql, params: bound.params, principal: this.#principal, adHoc: true },
    });
  }

  /** Lets a view go, chosen by a number below the number of views, and asks for another's contents. */
  churn(choose: (count: number) => number): void {
    const ids = [...this.#views.keys()];
    const gone = ids[choose(ids.length)];
    if (gone !== undefined) {
      const view = this.#views.get(gone);
      for (let left = view?.opens ?? 0; left > 0; left--) this.#port.post({ kind: 'release', view: gone });
      this.#views.delete(gone);
    }
    const asked = ids[choose(ids.length)];
    if (asked !== undefined && asked !== gone)
      this.#port.post({ kind: 'snapshot', ref: ++this.#refs, view: asked });
  }

  /** Views without a gap that have an answer, if only an error; and how many there are. */
  get valid(): readonly [number, number] {
    const views = [...this.#views.values()];
    return [
      views.filter(({ gap, at, error }) => gap === null && (at !== null || error !== null)).length,
      views.length,
    ];
  }

  close(): void {
    this.#judge.leave(this.#name);
  }

  #hear(message: FromViews): void {
    switch (message.kind) {
      case 'opened': {
        const bound = this.#asked.get(message.ref);
        if (!bound) return;
        this.#places.set(message.place, message.view);
        const held = this.#views.get(message.view);
        if (held) {
          held.opens++;
          return;
        }
        this.#views.set(message.view, {
          bound,
          gear: message.gear,
          rows: new Map(),
          order: [],
          at: null,
          since: this.position,
          error: null,
          gap: null,
          answer: null,
          opens: 1,
        });
        return;
      }
      case 'refused':
        if (!this.#asked.has(message.ref)) return; // a view that was let go before it was asked for whole
        this.refusals.push(
          `${this.#asked.get(message.ref)?.key}: ${message.error.code} ${message.error.detail ?? ''}`,
        );
        return;
      case 'batch':
        this.#batch(message.epoch, message.position, message.entries);
        return;
      case 'token':
        return;
    }
  }

  #batch(epoch: string, position: bigint, entries: readonly Entry[]): void {
    if (epoch === '') return; // before the first word of the source
    const seen: SeenView[] = [];
    let floor = position;
    for (const entry of entries) {
      const view = this.#views.get(this.#places.get(entry.place) ?? '');
      if (!view) continue;
      if (entry.kind === 'rows' && entry.ref !== undefined) {
        this.#checkWhole(view, entry);
        continue;
      }
      if (entry.kind === 'gap') this.#sight(seen, view, entry.through, false);
      this.#apply(view, entry);
      if (entry.kind === 'rows' || entry.kind === 'delta') this.#sight(seen, view, view.at ?? 0n, false);
      if (entry.kind === 'again' || entry.kind === 'error') this.#sight(seen, view, entry.from, false);
    }
    for (const view of this.#views.values()) {
      if (view.at === null && view.error === null && view.since < floor) floor = view.since;
      if (view.gap === null) this.#sight(seen, view, position, false);
      else this.#sight(seen, view, view.gap, true);
    }
    this.position = position;
    const empty = entries.length === 0;
    this.#judge.moved(this.#name, { epoch, lsn: position, views: seen, empty, floor });
  }

  /** A version asked for whole is the one that the deltas made. */
  #checkWhole(view: PortView, entry: Extract<Entry, { kind: 'rows' }>): void {
    const { rows } = read<Rows>(entry.message);
    const { ordered } = view.bound.query;
    const whole = answerOf(
      rows.map(([, row]) => row),
      ordered,
    );
    if (entry.at !== view.at || whole.digest !== answerOf(this.#rowsOf(view), ordered).digest)
      this.refusals.push(
        `${view.bound.key}: asked for whole at ${entry.at}, it is not the version ${view.at}`,
      );
  }

  #sight(seen: SeenView[], view: PortView, lsn: bigint, again: boolean): void {
    if (view.at === null && view.error === null) return;
    view.answer ??=
      view.error === null ? answerOf(this.#rowsOf(view), view.bound.query.ordered) : errorAnswer(view.error);
    seen.push({ bound: view.bound, lsn, answer: view.answer, behind: false, again, gear: view.gear });
  }

  #rowsOf(view: PortView): readonly Row[] {
    if (!view.bound.query.ordered) return [...view.rows.values()];
    return view.order.map((key) => view.rows.get(key) ?? []);
  }

  #apply(view: PortView, entry: Entry): void {
    switch (entry.kind) {
      case 'rows': {
        const message = read<Rows>(entry.message);
        view.rows.clear();
        view.order.length = 0;
        for (const [key, row] of message.rows) {
          view.rows.set(key, row);
          view.order.push(key);
        }
        become(view, entry.at);
        return;
      }
      case 'delta':
        if (view.at !== entry.from)
          throw new Error(`broken chain in ${view.bound.key}: ${view.at}, ${entry.from}`);
        for (const op of read<Delta>(entry.edited ?? entry.message).ops) applyOp(view, op);
        become(view, entry.to);
        return;
      case 'gear':
        return;
      case 'gap':
        view.gap = entry.through;
        return;
      case 'again':
        view.gap = null;
        if (view.error !== null) view.answer = null;
        view.error = null;
        return;
      case 'error':
        view.gap = null;
        view.error = sqlstateOf(entry.error.detail);
        view.answer = null;
        return;
      case 'ended':
        this.refusals.push(`${view.bound.key} ended: ${entry.error.code} ${entry.error.detail ?? ''}`);
        this.#views.delete(this.#places.get(entry.place) ?? '');
        return;
    }
  }
}

function become(view: PortView, at: bigint): void {
  view.at = at;
  view.gap = null;
  view.error = null;
  view.answer = null;
}

function applyOp({ rows, order, bound }: PortView, op: Op): void {
  const [, key] = op;
  const at = order.indexOf(key);
  if (op[0] === 'del') {
    rows.delete(key);
    if (at !== -1) order.splice(at, 1);
    return;
  }
  rows.set(key, op[0] === 'put' ? op[2] : editRow(rows.get(key) ?? [], op[2]));
  const after = op[3];
  if (!bound.query.ordered || (after === undefined && at !== -1)) {
    if (at === -1) order.push(key);
    return;
  }
  if (at !== -1) order.splice(at, 1);
  const place = after === null || after === undefined ? -1 : order.indexOf(after);
  if (after !== null && place === -1)
    throw new Error(`${bound.key}: ${key} is put after ${after}, which is not there`);
  order.splice(place + 1, 0, key);
}

function sqlstateOf(detail: string | undefined): string {
  return detail?.replace('SQLSTATE ', '') ?? '';
}

function read<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as T;
}
