import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mutant } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { reasonOf, verdictOf, type Verdict } from './outcome.js';
import { Tree } from './tree.js';
import { runTests } from './vitest.js';

const USAGE = `npm run mutants -- [options]
  --only TEXT      those of a rule (C7), or whose description contains the text
  --timeout SEC    for the run of one test, the start of vitest and of Postgres included (default 90)
  --list           says which there are`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    timeout: { type: 'string', default: '90' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stopped.abort(new Error(`ended by ${signal}`)));
const mutants = MUTANTS.filter(({ breaks }) => isMeant(breaks, values.only));

if (values.help) console.log(USAGE);
else if (values.list) for (const { breaks, file } of mutants) console.log(`${breaks}  (${file})`);
else process.exitCode = (await runAll(mutants, Number(values.timeout) * 1000)) ? 0 : 1;

/** Names of rules begin alike: C1 is not C10. */
function isMeant(breaks: string, only: string): boolean {
  return /^C\d+$/.test(only) ? breaks.startsWith(`${only}:`) : breaks.includes(only);
}

/** @returns whether each was found. */
async function runAll(all: readonly Mutant[], timeoutMs: number): Promise<boolean> {
  const tree = await Tree.copy(join(dirname(fileURLToPath(import.meta.url)), '../../..'));
  const counts: Record<Verdict, number> = { found: 0, survived: 0, hung: 0 };
  try {
    const red = await redTests(tree, all, timeoutMs);
    for (const mutant of all) {
      const [file, name] = mutant.caughtBy;
      const isRed = red.has(`${file} ${name}`);
      const start = performance.now();
      // A test that is red as it is cannot find anything.
      const outcomes = isRed
        ? []
        : await tree.broken(mutant, () => runTests(tree, file, [name], timeoutMs, stopped.signal));
      const verdict = verdictOf(outcomes);
      counts[verdict]++;
      const seconds = ((performance.now() - start) / 1000).toFixed(0).padStart(3);
      const why = isRed ? 'its test does not pass unbroken' : reasonOf(outcomes);
      console.log(`${verdict.padEnd(8)} ${seconds} s  ${mutant.breaks}\n                 ${why}`);
    }
  } finally {
    await tree.remove();
  }
  console.log(`\n${counts.found} found, ${counts.survived} survived, ${counts.hung} hung`);
  return all.length > 0 && counts.found === all.length;
}

/** Runs each test once without a mutant, file by file. @returns those that do not pass. */
async function redTests(tree: Tree, all: readonly Mutant[], timeoutMs: number): Promise<Set<string>> {
  const byFile = new Map<string, Set<string>>();
  for (const { caughtBy } of all) {
    const names = byFile.get(caughtBy[0]) ?? new Set();
    byFile.set(caughtBy[0], names.add(caughtBy[1]));
  }
  const red = new Set<string>();
  for (const [file, names] of byFile) {
    const outcomes = await runTests(tree, file, [...names], timeoutMs * names.size, stopped.signal);
    for (const name of names) {
      const ran = outcomes?.filter((outcome) => outcome.name.startsWith(name)) ?? [];
      if (ran.length > 0 && ran.every(({ passed }) => passed)) continue;
      red.add(`${file} ${name}`);
      console.log(
        `red unbroken: ${file}: ${name}\n                 ${reasonOf(outcomes === null ? null : ran)}`,
      );
    }
  }
  return red;
}
