import { expect, test } from 'vitest';
import { AlteredSchema } from './altered-schema.js';

function scripted(): { schema: AlteredSchema<object>; know: (() => void)[]; released: () => number } {
  const know: (() => void)[] = [];
  let released = 0;
  const schema = new AlteredSchema<object>(
    () => new Promise<void>((resolve) => know.push(resolve)),
    () => released++,
  );
  return { schema, know, released: () => released };
}

test('what is altered is held until the schema is known, and nothing else', async () => {
  const { schema, know, released } = scripted();
  const [one, other] = [{}, {}];
  schema.alter([one]);
  expect([schema.isHeld(one), schema.isHeld(other)]).toEqual([true, false]);
  expect([schema.countOf(one), schema.countOf(other)]).toEqual([1, 0]);
  await schema.settled(other);
  know[0]?.();
  await schema.settled(one);
  expect([schema.isHeld(one), released()]).toEqual([false, 1]);
});

test('altered again meanwhile: held until the later one is known', async () => {
  const { schema, know } = scripted();
  const one = {};
  schema.alter([one]);
  schema.alter([one]);
  let settled = false;
  const waiting = schema.settled(one).then(() => (settled = true));
  know[0]?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect([schema.isHeld(one), settled]).toEqual([true, false]);
  know[1]?.();
  await waiting;
  expect(schema.countOf(one)).toBe(2);
});
