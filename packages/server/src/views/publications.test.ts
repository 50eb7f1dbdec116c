import { asLsn } from '@sluice/core/lsn';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UNPLANNED } from '../testing/quiet-template.js';
import { Cost } from './cost.js';
import { viewsError } from './errors.js';
import type { Entry } from './port.js';
import { Publications, type Version } from './publications.js';
import { View } from './view.js';

// Any number of views side by side, which come and go: what is published of each is what a model of it alone says.

interface Model {
  readonly view: View;
  version: Version | null;
  state: 'hydrating' | 'valid' | 'gap';
  failed: boolean;
}

const SHAPE = { columns: [], ordered: false };
const lsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(asLsn);
const action = fc.record({
  kind: fc.constantFrom(
    'open',
    'close',
    'end',
    'rows',
    'delta',
    'delta',
    'nothing',
    'gap',
    'error',
    'answer',
  ),
  /** Of the views that are there. */
  which: fc.nat(),
  lsn,
  epoch: fc.constantFrom('7301442958736401234.1', '7301442958736401234.2', ''),
});
const error = viewsError('internal_error').toWire();
const text = ({ epoch, lsn }: Version): string => {
  const half = (bits: bigint): string => bits.toString(16).toUpperCase();
  return `${epoch}:${half(lsn >> 32n)}/${half(lsn & 0xffffffffn)}`;
};
const read = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

test('what is published of a view is of that view alone, whoever stood in its place', () => {
  let [reused, chained] = [0, 0];
  fc.assert(
    fc.property(fc.array(action, { minLength: 40, maxLength: 400 }), (actions) => {
      let entries: Entry[] = [];
      const publications = new Publications((entry) => entries.push(entry));
      const models: Model[] = [];
      const places = new Set<number>();
      for (const [n, { kind, which, ...at }] of actions.entries()) {
        if (kind === 'open' || models.length === 0) {
          const view = new View(`${'i-d_0'.repeat(n % 8)}${n}`, SHAPE, UNPLANNED, publications);
          models.push({ view, version: null, state: 'hydrating', failed: false });
          if (places.has(view.place)) reused++;
          places.add(view.place);
          continue;
        }
        const index = which % models.length;
        const model = models[index];
        if (model === undefined) throw new Error('a view is there');
        const { view, version } = model;
        const { place } = view;
        const wasValid = model.state === 'valid' && !model.failed;
        entries = [];
        const told = act(model, kind, at);
        expect(entries.length).toBe(told === null ? 0 : 1);
        const [entry] = entries;
        if (told !== null) expect(entry).toMatchObject({ place, ...told });
        if (entry?.kind === 'delta') {
          chained++;
          const [from, to] = [version === null ? '' : text(version), text(at)];
          expect(read(entry.message)).toEqual({
            kind: 'delta',
            view: view.id,
            from,
            to,
            ops: [['del', 'k']],
          });
        }
        if (entry?.kind === 'rows') {
          const held = model.version === null ? '' : text(model.version);
          expect(read(entry.message)).toEqual({
            kind: 'rows',
            view: view.id,
            at: held,
            rows: [['k', ['v']]],
          });
        }
        expect(wasValid && kind === 'nothing' ? entries : []).toEqual([]);
        if (view.isClosed) models.splice(index, 1);
        for (const { view: other, version: own, state, failed } of models)
          expect([other.isBegun, other.isValid, other.isFailed]).toEqual([
            own !== null,
            state === 'valid',
            failed,
          ]);
      }
    }),
    { numRuns: 100 },
  );
  expect(reused).toBeGreaterThan(100);
  expect(chained).toBeGreaterThan(100);
});

/** @returns what is to be published of it, or null */
function act(model: Model, kind: string, at: Version): Partial<Entry> | null {
  const { view, version } = model;
  const row = { keyJson: '"k"', json: '["v"]' };
  const become = (state: Model['state'], failed = false): void =>
    void Object.assign(model, { state, failed });
  switch (kind) {
    case 'close':
      view.close();
      return null;
    case 'end':
      view.end(error);
      return { kind: 'ended', error };
    case 'rows':
      view.rows(at, [row]);
      model.version = at;
      become('valid');
      return { kind: 'rows', at: at.lsn, count: 1 };
    case 'gap': {
      const { state, failed } = model;
      view.gap(at.lsn);
      if (state === 'valid') become('gap', failed);
      return state === 'valid' ? { kind: 'gap', through: at.lsn } : null;
    }
    case 'error':
      view.error(at, error);
      become('valid', true);
      return { kind: 'error', from: at.lsn, error };
    case 'answer':
      expect(view.answer(7, [row])).toBe(version !== null);
      return version === null ? null : { kind: 'rows', at: version.lsn, ref: 7, count: 1 };
    default: {
      const ops = kind === 'delta' ? ['["del","k"]'] : [];
      if (version === null) {
        expect(() => view.delta(at, ops)).toThrow('a delta needs a version to start from');
        return null;
      }
      const wasValid = model.state === 'valid' && !model.failed;
      view.delta(at, ops);
      become('valid');
      if (ops.length === 0) return wasValid ? null : { kind: 'again', from: at.lsn };
      model.version = at;
      return { kind: 'delta', from: version.lsn, to: at.lsn, count: 1 };
    }
  }
}

test('more views than there was room for, and what is published of one that is closed', () => {
  const entries: Entry[] = [];
  const publications = new Publications((entry) => entries.push(entry));
  const views = Array.from({ length: 1_000 }, (_, n) => {
    const view = new View(`view-${n}`, SHAPE, UNPLANNED, publications);
    view.cost = new Cost();
    view.rows({ epoch: 'e', lsn: asLsn(BigInt(n)) }, []);
    return view;
  });
  entries.length = 0;
  for (const view of views) view.delta({ epoch: 'e', lsn: asLsn(5_000n) }, ['["del","k"]']);
  expect(entries.map((entry) => (entry.kind === 'delta' ? [entry.place, entry.from] : entry))).toEqual(
    views.map(({ place }, n) => [place, BigInt(n)]),
  );
  expect(views[7]?.cost?.toldRows).toBe(1);
  entries.length = 0;
  for (const view of views) {
    view.close();
    view.gap(asLsn(6_000n));
    view.error({ epoch: 'e', lsn: asLsn(6_000n) }, error);
    view.end(error);
    expect([view.isClosed, view.isValid, view.isBegun, view.answer(1, [])]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  }
  expect(entries).toEqual([]);
  expect(() => publications.open('"')).toThrow('an id stands in JSON as it is');
});
