import { LSN_ZERO } from '@sluice/core/lsn';
import { formatPosition } from '@sluice/core/position';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientError } from './errors.js';
import { CURRENT, LOADING, nextPhase, PARTIAL, SWITCHING, type Phase, type PhaseEvent } from './phase.js';

const here = formatPosition('1.1', LSN_ZERO);
const there = formatPosition('2.1', LSN_ZERO);
const wrong = clientError('connection_lost');

const PHASES: readonly Phase[] = [
  LOADING,
  PARTIAL,
  CURRENT,
  SWITCHING,
  { status: 'behind', position: here },
  { status: 'stale', position: here },
  { status: 'error', error: wrong, position: here, retrying: false },
];

const EVENTS: readonly PhaseEvent[] = [
  { kind: 'found' },
  { kind: 'confirmed' },
  { kind: 'fell_behind', position: there },
  { kind: 'left', position: there },
  { kind: 'failed', error: wrong, position: there, retrying: false },
  { kind: 'replaced' },
];

/** One row for each phase, one column for each event, as in the table of docs/client.md. */
const EXPECTED = `
            found      confirmed  fell_behind  left     failed  replaced
loading     partial    current    behind       loading  error   loading
partial     partial    current    behind       partial  error   switching
current     current    current    behind       stale    error   switching
switching   switching  current    behind       switching error  switching
behind      behind     current    behind       stale    error   switching
stale       stale      current    behind       stale    error   switching
error       error      current    behind       error    error   loading`;

test('each cell of the table', () => {
  const [head, ...body] = EXPECTED.trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const actual = PHASES.map((phase) => [
    phase.status,
    ...EVENTS.map((event) => nextPhase(phase, event).status),
  ]);
  expect(head).toEqual(EVENTS.map((event) => event.kind));
  expect(actual).toEqual(body);
});

test('a view that was behind is stale where it stood; one that was current, where the client was', () => {
  const left: PhaseEvent = { kind: 'left', position: there };
  expect(nextPhase({ status: 'behind', position: here }, left)).toEqual({ status: 'stale', position: here });
  expect(nextPhase(CURRENT, left)).toEqual({ status: 'stale', position: there });
  expect(nextPhase({ status: 'stale', position: here }, left)).toEqual({ status: 'stale', position: here });
});

test('no event leads back to loading but a replacement of what has nothing to show', () => {
  const events = fc.array(fc.constantFrom(...EVENTS.filter((event) => event.kind !== 'replaced')));
  fc.assert(
    fc.property(fc.constantFrom(...PHASES.slice(1)), events, (first, happened) => {
      expect(happened.reduce(nextPhase, first).status).not.toBe('loading');
    }),
  );
});

test('an event that says what is known already gives the same object', () => {
  for (const phase of PHASES) {
    for (const event of EVENTS.filter(({ kind }) => kind !== 'replaced')) {
      const next = nextPhase(phase, event);
      expect(nextPhase(next, event)).toBe(next);
    }
  }
});
