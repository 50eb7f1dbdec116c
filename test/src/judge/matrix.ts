import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMBEDDED_RELEASES } from '@sluice/server/embedded/binaries';
import { DEFAULTS } from './options.js';
import { passed, summaryOf } from './report.js';
import { runTrial } from './trial.js';

/** The judge, briefly, on every major version that we support; binaries are installed when they are missing. */
const SECONDS = 25;
const CHAOS = ['server-kill', 'postgres-kill', 'walsender-end', 'synchronous-wait', 'database-cut'];

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const majors =
  process.argv.length > 2 ? process.argv.slice(2).map(Number) : Object.keys(EMBEDDED_RELEASES).map(Number);
const seed = randomBytes(4).toString('hex');
for (const major of majors) {
  const report = await runTrial({
    ...DEFAULTS,
    seed,
    seconds: SECONDS,
    chaos: CHAOS,
    python: true,
    postgres: major,
    folder: await mkdtemp(join(tmpdir(), `sluice-matrix-${major}-`)),
    print: () => undefined,
  });
  console.log(summaryOf(report, `npm run soak -- --minutes 0.4 --postgres ${major} --seed ${seed}`));
  if (!passed(report)) process.exitCode = 1;
}
