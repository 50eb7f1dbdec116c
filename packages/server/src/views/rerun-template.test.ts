import { asLsn, type Lsn } from '@sluice/core/lsn';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sees, type Snapshot } from '../source/snapshot.js';
import type { Transaction } from '../source/transaction.js';
import { RERUN_PLAN } from '../testing/plans.js';
import type { Entry } from './port.js';
import { RerunTemplate, type RunOutcome } from './rerun-template.js';
import { Publications } from './publications.js';
import { View } from './view.js';

// C6: what a snapshot computed is published only where it stands. The truth at a position is the set of transactions
// committed at or before it; an answer computed at a snapshot is the set that the snapshot sees.

const principal = { role: 'r', claims: {} };
const OPTIONS = { rowsPerViewMax: 1000, tickMs: 0, hasRoom: () => true };

/** The n-th transaction has xid 100 + n and makes position 10 (n + 1). */
const xidOf = (n: number): number => 100 + n;
const lsnOf = (n: number): Lsn => asLsn(BigInt(10 * (n + 1)));

function transaction(n: number): Transaction {
  const none = { changes: [], bulk: new Map(), messages: [], bytes: 0 };
  return { xid: xidOf(n), lsn: lsnOf(n), previous: asLsn(lsnOf(n) - 5n), ...none };
}

function ofAll(one: Transaction): Transaction & { readonly of: 'all' } {
  return { ...one, of: 'all' };
}

function snapshotOf(visible: readonly boolean[]): Snapshot {
  const xip = new Set(visible.flatMap((is, n) => (is ? [] : [BigInt(xidOf(n))])));
  return { xmin: 100n, xmax: BigInt(xidOf(visible.length)), xip };
}

/** Applies entries as sessions do, and says what is known at a position: the seen set as text, or unknown. */
class Known {
  readonly #spans: { from: bigint; through: bigint; content: string }[] = [];
  #content = '';
  /** Requests for rows. */
  answered = 0;

  /** @param isAgain where it stands may be said again: somebody asked for what was let go */
  take(entries: readonly Entry[], isAgain: boolean): void {
    for (const entry of entries) {
      const last = this.#spans.at(-1);
      if (entry.kind === 'rows' && entry.ref !== undefined) {
        expect(contentOf(entry.message, '')).toBe(this.#content);
        this.answered++;
        continue;
      }
      if (entry.kind === 'gap') {
        if (last) last.through = entry.through;
        continue;
      }
      if (entry.kind === 'rows' || entry.kind === 'delta')
        this.#content = contentOf(entry.message, this.#content);
      const from =
        entry.kind === 'rows'
          ? entry.at
          : entry.kind === 'delta'
            ? entry.to
            : entry.kind === 'again'
              ? entry.from
              : null;
      if (from === null) throw new Error(`unexpected ${entry.kind}`);
      // While a commit stays invisible, what was said of the time before it is not said again at each run.
      if (last) expect(from - last.from).toBeGreaterThanOrEqual(isAgain ? 0n : 1n);
      if (last && last.through > from) last.through = from - 1n;
      this.#spans.push({ from, through: 1n << 60n, content: this.#content });
    }
  }

  at(position: bigint): string | null {
    return this.#spans.findLast((span) => span.from <= position && position <= span.through)?.content ?? null;
  }
}

function contentOf(message: Uint8Array, before: string): string {
  const parsed = JSON.parse(Buffer.from(message).toString()) as {
    rows?: [string, string[]][];
    ops?: ['put' | 'del', string, string[]?][];
  };
  if (parsed.rows) return parsed.rows.map(([, row]) => row[0]).join();
  const put = parsed.ops?.filter(([kind]) => kind === 'put').map(([, , row]) => row?.[0]);
  return put?.join() ?? before;
}

const round = fc.record({
  /** C19: when the view is behind, the commits are not told to it; it goes on from where they end. */
  shed: fc.boolean(),
  /** How many more transactions commit and are told before the run is judged. */
  commits: fc.integer({ min: 0, max: 4 }),
  /** Of those not yet visible, which the snapshot sees; visibility only grows. */
  visible: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  /** The end of the log, as the snapshot's statement reads it: at its last commit, or past others that are not visible. */
  read: fc.constantFrom('early', 'late'),
  /** P6: what is kept of answers is let go before, and whether there is room for more. */
  letGo: fc.boolean(),
  room: fc.boolean(),
  /** Somebody asks for the rows. */
  asks: fc.boolean(),
});

test.each([100_000, 1, 3])(
  'an answer is known only at positions whose transactions are exactly those it saw, %i of them kept',
  (relevantMax) => {
    let published = 0;
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 8 }), (rounds) => {
        const entries: Entry[] = [];
        let hasRoom = true;
        const options = { ...OPTIONS, relevantMax, hasRoom: () => hasRoom };
        const template = new RerunTemplate('key', RERUN_PLAN, principal, options);
        const view = new View(
          'v',
          RERUN_PLAN.shape,
          { sql: '', params: [], principal, adHoc: false },
          new Publications((entry) => entries.push(entry)),
        );
        const one = template.open(view, [], asLsn(1n));
        const known = new Known();
        const isVisible: boolean[] = [];
        let asked = 0;
        for (const { shed, commits, visible, read, letGo, room, asks } of rounds) {
          if (letGo) for (const kept of template.kept()) kept.letGo();
          hasRoom = room;
          if (asks) {
            const isCurrent = !template.dirty.has(one);
            const toRun = template.ask(one, ++asked, asLsn(BigInt(Math.max(10 * isVisible.length, 1))));
            expect(toRun).toBe(isCurrent && one.answer.rows === null);
          }
          const behind = shed && template.isBehind;
          for (let i = 0; i < commits; i++) {
            if (!behind) template.touched(transaction(isVisible.length));
            isVisible.push(false);
          }
          if (behind && isVisible.length > 0) template.resume(lsnOf(isVisible.length - 1));
          isVisible.forEach((was, n) => (isVisible[n] = was || visible[n] === true));
          const snapshot = snapshotOf(isVisible);
          const all = isVisible.map((_, n) => transaction(n));
          const seenText = all
            .filter(({ xid }) => sees(snapshot, xid))
            .map(({ xid }) => xid)
            .join(' ');
          const unseen = all.filter(({ xid }) => !sees(snapshot, xid));
          const seen = all.findLast(({ xid }) => sees(snapshot, xid))?.lsn ?? asLsn(1n);
          const upper = read === 'late' ? lsnOf(isVisible.length - 1) : seen;
          const standing = template.standings(snapshot, unseen.map(ofAll), asLsn(0n), upper);
          const holds = template.publish(one, { rows: [[seenText]] }, standing, 'e');
          expect(template.dirty.has(one)).toBe(!holds); // it is run again until it holds
          template.trim();
          const bytes = Array.from(template.kept(), (kept) => kept.bytes);
          expect(template.heldBytes).toBe(bytes[0] ?? 0);
          known.take(entries.splice(0), asks);
          if (holds) expect(known.answered).toBe(asked);
          for (let n = -1; n < isVisible.length; n++) {
            const content = known.at(n < 0 ? 1n : lsnOf(n));
            if (content === null) continue;
            published++;
            expect(content).toBe(
              all
                .slice(0, n + 1)
                .map(({ xid }) => xid)
                .join(' '),
            );
          }
          const everyoneSees = unseen.length === 0;
          if (everyoneSees) expect(known.at(lsnOf(isVisible.length))).not.toBeNull();
        }
      }),
      { numRuns: 3000 },
    );
    expect(published).toBeGreaterThan(1000);
  },
);

test('a run that was asked for before a tick does not answer for it, although its snapshot sees it', () => {
  const entries: Entry[] = [];
  const template = new RerunTemplate('key', RERUN_PLAN, principal, { ...OPTIONS, tickMs: 1000 });
  const view = new View(
    'v',
    RERUN_PLAN.shape,
    { sql: '', params: [], principal, adHoc: false },
    new Publications((entry) => entries.push(entry)),
  );
  const one = template.open(view, [], asLsn(1n));
  const tick = { ...transaction(0), messages: [{ prefix: 'sluice.tick', content: Buffer.from('1000') }] };
  template.touched(tick);
  const snapshot = snapshotOf([true]);
  const early = template.standings(snapshot, [], asLsn(tick.lsn - 1n), tick.lsn);
  expect(template.publish(one, { rows: [['before the tick']] }, early, 'e')).toBe(false);
  expect(entries).toMatchObject([
    { kind: 'rows', at: 1n },
    { kind: 'gap', through: tick.previous },
  ]);
  const after = template.standings(snapshot, [], tick.lsn, tick.lsn);
  expect(template.publish(one, { rows: [['after it']] }, after, 'e')).toBe(true);
  expect(entries.at(-1)).toMatchObject({ kind: 'delta', to: tick.lsn });
});

test('a view stands where what concerns it says, an error where anything does (C9)', () => {
  const entries: Entry[] = [];
  const publications = new Publications((entry) => entries.push(entry));
  const template = new RerunTemplate('key', RERUN_PLAN, principal, OPTIONS);
  const [one, other, failing] = ['one', 'other', 'failing'].map((id) =>
    template.open(
      new View(id, RERUN_PLAN.shape, { sql: '', params: [], principal, adHoc: false }, publications),
      [],
      asLsn(1n),
    ),
  );
  if (!one || !other || !failing) throw new Error('three were opened');
  const early = { ...transaction(0), of: new Set([one]) };
  const late = { ...transaction(1), of: new Set([other]) };
  for (const { of, ...told } of [early, late]) template.touched(told, of);
  const standings = template.standings(snapshotOf([false, true]), [early], asLsn(0n), late.lsn);
  // Of two transactions it sees the later one alone: where the other view stands, and neither of the others.
  expect(template.publish(other, { rows: [['x']] }, standings, 'e')).toBe(true);
  expect(template.publish(one, { rows: [['y']] }, standings, 'e')).toBe(false);
  expect(template.publish(failing, { error: new Error('raised') }, standings, 'e')).toBe(false);
  expect(entries).toMatchObject([
    { kind: 'rows', place: other.view.place, at: late.lsn },
    { kind: 'rows', place: one.view.place, at: 1n },
    { kind: 'gap', place: one.view.place, through: early.previous },
  ]);
  // Who holds is not concerned by what concerns another.
  template.touched(transaction(2), new Set([one]));
  expect(template.dirty.has(other)).toBe(false);
});

test('a change of the schema that nobody told is not dated back to where the stream was', () => {
  const toldAt = (unseen: readonly Transaction[]): Entry | undefined => {
    const entries: Entry[] = [];
    const template = new RerunTemplate('key', RERUN_PLAN, principal, OPTIONS);
    const view = new View(
      'v',
      RERUN_PLAN.shape,
      { sql: '', params: [], principal, adHoc: false },
      new Publications((entry) => entries.push(entry)),
    );
    const one = template.open(view, [], asLsn(3n));
    // The snapshot may see a column that was added at 4; its end of the log is 15.
    const standing = template.standings(snapshotOf([false, false]), unseen.map(ofAll), asLsn(3n), asLsn(15n));
    template.publish(one, { rows: [['x']] }, standing, 'e');
    return entries[0];
  };
  expect(toldAt([])).toMatchObject({ kind: 'rows', at: 15n });
  expect(toldAt([transaction(1)])).toMatchObject({ kind: 'rows', at: 15n });
  // A relevant commit that is not visible yet leaves only the time before it.
  expect(toldAt([transaction(0)])).toMatchObject({ kind: 'rows', at: 3n });
});

test('P6: where what clients hold was let go, the same answer is told as that, and another whole', () => {
  const entries: Entry[] = [];
  let hasRoom = false;
  const options = { ...OPTIONS, hasRoom: () => hasRoom };
  const template = new RerunTemplate('key', RERUN_PLAN, principal, options);
  const view = new View(
    'v',
    RERUN_PLAN.shape,
    { sql: '', params: [], principal, adHoc: false },
    new Publications((entry) => entries.push(entry)),
  );
  const one = template.open(view, [], asLsn(1n));
  const run = (n: number, ...values: string[]): string[] => {
    template.touched(transaction(n));
    const rows = values.map((value) => [value]);
    const standings = template.standings(
      snapshotOf(Array<boolean>(n + 1).fill(true)),
      [],
      asLsn(0n),
      lsnOf(n),
    );
    expect(template.publish(one, { rows }, standings, 'e')).toBe(true);
    return entries.splice(0).map(({ kind }) => kind);
  };
  const letGo = (): void => {
    for (const kept of template.kept()) kept.letGo();
    expect([template.heldBytes, template.heldRowCount]).toEqual([0, 0]);
  };
  expect(run(0, 'a', 'b')).toEqual(['rows']);
  const held = template.heldBytes;
  expect([held > 0, template.heldRowCount]).toEqual([true, 2]);
  letGo();
  // In no order; another one is the same.
  expect(run(1, 'b', 'a')).toEqual(['gap', 'again']);
  expect(run(2, 'a', 'c')).toEqual(['gap', 'rows']);
  expect(run(3, 'a', 'c', 'c')).toEqual(['gap', 'rows']);
  expect(template.heldBytes).toBe(0);
  hasRoom = true;
  expect(run(4, 'a', 'c', 'c')).toEqual(['gap', 'again']);
  expect(template.heldBytes).toBeGreaterThan(held);
  expect(run(5, 'a', 'c')).toEqual(['gap', 'delta']);
  expect(template.heldBytes).toBe(held);
  template.close(one);
  expect(template.heldBytes).toBe(0);
});

test('P6: who asks for rows that were let go gets those of a run; an error is asked of nobody', () => {
  const entries: Entry[] = [];
  const template = new RerunTemplate('key', RERUN_PLAN, principal, OPTIONS);
  const view = new View(
    'v',
    RERUN_PLAN.shape,
    { sql: '', params: [], principal, adHoc: false },
    new Publications((entry) => entries.push(entry)),
  );
  const one = template.open(view, [], asLsn(1n));
  const publish = (n: number, outcome: RunOutcome): void => {
    const standings = template.standings(
      snapshotOf(Array<boolean>(n).fill(true)),
      [],
      asLsn(0n),
      lsnOf(n - 1),
    );
    expect(template.publish(one, outcome, standings, 'e')).toBe(true);
  };
  const rows = [['a']];
  publish(1, { rows });
  expect(template.ask(one, 7, lsnOf(0))).toBe(false);
  expect(entries.splice(0)).toMatchObject([{ kind: 'rows' }, { kind: 'rows', ref: 7 }]);
  for (const kept of template.kept()) kept.letGo();
  expect(template.ask(one, 8, lsnOf(0))).toBe(true);
  expect(template.dirty.has(one)).toBe(true);
  expect(template.ask(one, 9, lsnOf(0))).toBe(false);
  publish(1, { rows });
  expect(entries.splice(0)).toMatchObject([
    { kind: 'gap', through: lsnOf(0) },
    { kind: 'again', from: lsnOf(0) },
    { kind: 'rows', ref: 8 },
    { kind: 'rows', ref: 9 },
  ]);
  for (const kept of template.kept()) kept.letGo();
  template.touched(transaction(1));
  publish(2, { error: new Error('raised') });
  expect(template.ask(one, 10, lsnOf(1))).toBe(false);
  expect(template.dirty.size).toBe(0);
  template.touched(transaction(2));
  publish(3, { rows: [['b']] });
  expect(entries.splice(0)).toMatchObject([
    { kind: 'gap' },
    { kind: 'error' },
    { kind: 'gap' },
    { kind: 'rows', at: lsnOf(2) },
    { kind: 'rows', ref: 10, at: lsnOf(2) },
  ]);
});
