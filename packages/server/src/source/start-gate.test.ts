import { expect, test } from 'vitest';
import { parseSnapshot } from './snapshot.js';
import { StartGate } from './start-gate.js';

const from = (xmin: number): ReturnType<typeof parseSnapshot> =>
  parseSnapshot(`${xmin}:${xmin + 10}:${xmin}`);

test('C7, the start rule: nothing opens before X is known', async () => {
  const gate = new StartGate();
  expect([gate.isOpen, gate.wantsXid]).toEqual([false, false]);
  gate.arm();
  expect([gate.isOpen, gate.wantsXid]).toEqual([false, true]);
  expect(gate.offer(from(1_000_000), gate.generation)).toBe(false);
  gate.offerXid(100n, gate.generation);
  expect(gate.wantsXid).toBe(false);
  expect(gate.offer(from(99), gate.generation)).toBe(false);
  const waiting = gate.wait();
  expect(gate.offer(from(100), gate.generation)).toBe(true);
  await waiting;
  gate.shut();
  expect(gate.isOpen).toBe(false);
});

test('C7, the start rule: what was asked for before the slot was made does not count', () => {
  const gate = new StartGate();
  gate.arm();
  const before = gate.generation;
  gate.shut();
  gate.arm();
  gate.offerXid(50n, before);
  expect(gate.wantsXid).toBe(true);
  gate.offerXid(100n, gate.generation);
  expect(gate.offer(from(200), before)).toBe(false);
  expect(gate.offer(from(200), gate.generation)).toBe(true);
});
