import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mutated } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { verdictOf, type Outcome } from './outcome.js';
import { withoutTypes } from './tree.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

test.each(MUTANTS)('still fits its file and names a test: $breaks', async (mutant) => {
  const text = mutated(await readFile(join(ROOT, mutant.file), 'utf8'), mutant);
  await expect(withoutTypes(text, mutant.file)).resolves.toBeTruthy();
  const [file, name] = mutant.caughtBy;
  const tests = (await readFile(join(ROOT, file), 'utf8')).replaceAll("\\'", "'");
  expect([`'${name}`, `\`${name}`, `"${name}`].some((quoted) => tests.includes(quoted))).toBe(true);
});

test('no two are described alike', () => {
  expect(new Set(MUTANTS.map(({ breaks }) => breaks)).size).toBe(MUTANTS.length);
});

test('only an assertion that fails is a find: not a timeout, not another error, not a pass', () => {
  const outcome = (...failures: string[][]): Outcome[] => [
    { file: 'f', name: 'n', passed: failures.length === 0, failures },
  ];
  const assertion = ['AssertionError: expected 1 to be 2'];
  expect(verdictOf(outcome(assertion))).toBe('found');
  expect(verdictOf(outcome(['Error: Property failed after 3 tests', ...assertion]))).toBe('found');
  expect(verdictOf(outcome(assertion, ['Error: Hook timed out in 40000ms.']))).toBe('hung');
  expect(verdictOf(outcome(['Error: Test timed out in 30000ms.']))).toBe('hung');
  expect(verdictOf(null)).toBe('hung');
  expect(verdictOf(outcome(['ReferenceError: x is not defined']))).toBe('survived');
  expect(verdictOf(outcome())).toBe('survived');
  expect(verdictOf([])).toBe('survived');
});
