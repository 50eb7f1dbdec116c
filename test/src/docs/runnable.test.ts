import { expect, test } from 'vitest';
import { programsOf, runProgram } from './runnable.js';

const fence = '```';
const PAGE = `# Page
${fence}ts runnable
const n: number = 1;
${fence}
words
${fence}sql
SELECT 1
${fence}
${fence}ts runnable continued
console.log(n + 1, 'here');
${fence}
${fence}text output
2 there
${fence}
${fence}js runnable
process.exit(Number(process.env.CODE));
${fence}
`;

test('blocks become programs, and run', async () => {
  const [first, second, ...more] = programsOf(PAGE);
  expect(more).toEqual([]);
  expect(first).toMatchObject({ line: 2, language: 'ts', output: '2 there' });
  expect(await runProgram(first ?? expect.fail(), { replace: { here: 'there' } })).toBe('2 there\n');
  await expect(runProgram(second ?? expect.fail(), { env: { CODE: '3' } })).rejects.toThrow(
    'at line 15 ended with 3',
  );
});
