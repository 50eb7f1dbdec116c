import { tmpdir } from 'node:os';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '@sluice/server/testing/postgres';
import { caseText, readCase } from './fuzz-case.js';
import { replay } from './replay.js';
import { engineRing, onSocketStage, shrunkCase, socketRing, type Ring } from './shrunk-case.js';
import { replayOverSocket } from './socket-replay.js';
import { runSocketTrial } from './socket-trial.js';
import { Statistics } from './statistics.js';
import { runTrial, type Finding } from './trial.js';

const USAGE = `npm run fuzz -- [options]
  --minutes N       how long (default 5)
  --seed S          repeats a run (default: random); a trial is S-1, S-2, …
  --trial N         this trial alone
  --queries N       of a trial (default 60)
  --transactions N  of a trial (default 80)
  --comparisons N   ends when so many are counted
  --jobs N          trials at a time (default 1): one computes while Postgres answers the other
  --plan            shows the plan of the case that is replayed
  --replay FILE     a case of the corpus, or one that was found, instead
  --findings N      ends after so many (default 10)
  --folder PATH     where found cases go (default: sluice-fuzz in the folder for temporary files)
  --socket          through the whole product, over the socket; a case that was found so is replayed so without it
  --shrink SEC      how long a finding is made smaller, at most (default 120)
  --errors          an answer where Postgres raises an error is a finding
  --reasons         lists why queries are re-run
  --refusals        lists queries that Postgres does not take
  --postgres MAJOR  14 to 18`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    trial: { type: 'string' },
    queries: { type: 'string', default: '60' },
    transactions: { type: 'string', default: '80' },
    replay: { type: 'string' },
    comparisons: { type: 'string', default: 'Infinity' },
    jobs: { type: 'string', default: '1' },
    plan: { type: 'boolean', default: false },
    findings: { type: 'string', default: '10' },
    folder: { type: 'string', default: join(tmpdir(), 'sluice-fuzz') },
    socket: { type: 'boolean', default: false },
    shrink: { type: 'string', default: '120' },
    errors: { type: 'boolean', default: false },
    reasons: { type: 'boolean', default: false },
    refusals: { type: 'boolean', default: false },
    postgres: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** Findings of one trial: they are most often one fault. */
const SHRUNK_MAX = 3;
const ATTEMPTS_MAX = 2_000;

// What it has started ends with it, also when it is interrupted.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.help) console.log(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  const server = await startTestPostgres(
    values.postgres === undefined ? {} : { major: Number(values.postgres) },
  );
  const database = await createTestDatabase(server);
  try {
    if (values.replay !== undefined) return await replayFile(server, database.adminUrl, values.replay);
    return values.socket ? await overSocket(server) : await fuzz(database.adminUrl);
  } finally {
    await database.drop();
    await server.destroy();
  }
}

async function overSocket(server: TestPostgres): Promise<number> {
  const statistics = new Statistics();
  const deadline = Date.now() + Number(values.minutes) * 60_000;
  const create = (): Promise<TestDatabase> => createTestDatabase(server);
  const ring = socketRing(create, { errors: values.errors });
  const texts = new Set<string>();
  let found = 0;
  console.log(`seed ${values.seed}`);
  for (
    let trial = Number(values.trial ?? 1);
    Date.now() < deadline && found < Number(values.findings);
    trial++
  ) {
    const database = await create();
    const seed = `${values.seed}-${trial}`;
    const queries = Number(values.queries);
    const transactions = Number(values.transactions);
    const findings = await runSocketTrial(
      database,
      { seed, queries, transactions, deadline },
      statistics,
    ).finally(() => database.drop());
    for (const finding of findings.slice(0, SHRUNK_MAX)) await told(seed, finding, ++found, ring, texts);
    if (findings.length > SHRUNK_MAX) console.log(`and ${findings.length - SHRUNK_MAX} more in this trial`);
    console.log(
      `trial ${trial}: ${JSON.stringify(statistics.gears)} ${statistics.lines().slice(1).join(' | ')}`,
    );
    if (values.trial !== undefined) break;
  }
  return found === 0 ? 0 : 1;
}

async function replayFile(server: TestPostgres, url: string, file: string): Promise<number> {
  const show = (plan: unknown): void =>
    values.plan ? console.log(JSON.stringify(plan, null, 1)) : undefined;
  const one = readCase(await readFile(file, 'utf8'));
  const result =
    values.socket || one.manner !== null
      ? await onSocketStage(
          () => createTestDatabase(server),
          (stage) => replayOverSocket(stage, one, { errors: values.errors }),
        )
      : await replay(url, 'replayed', one, show);
  console.log(JSON.stringify({ ...result, wrong: undefined }), `\n${result.wrong ?? 'nothing is wrong'}`);
  return result.wrong === null ? 0 : 1;
}

async function fuzz(url: string): Promise<number> {
  const statistics = new Statistics();
  const started = Date.now();
  const deadline = started + Number(values.minutes) * 60_000;
  console.log(`seed ${values.seed}`);
  let found = 0;
  let trial = Number(values.trial ?? 1);
  const texts = new Set<string>();
  const isOver = (): boolean =>
    Date.now() >= deadline ||
    found >= Number(values.findings) ||
    statistics.equal >= Number(values.comparisons);
  const run = async (number: number): Promise<void> => {
    const seed = `${values.seed}-${number}`;
    const { queries, transactions } = values;
    const findings = await runTrial(
      {
        url,
        seed,
        queries: Number(queries),
        transactions: Number(transactions),
        deadline,
        errors: values.errors,
      },
      statistics,
    );
    for (const finding of findings.slice(0, SHRUNK_MAX)) {
      // What fails in the same way is looked at once.
      const kind = /fails: (.*)/.exec(finding.wrong)?.[1];
      if (kind !== undefined && texts.has(kind)) continue;
      if (kind !== undefined) texts.add(kind);
      await told(seed, finding, ++found, engineRing(url, `s${found}`), texts);
    }
    if (number % 10 === 0)
      console.log(
        `[${Math.round((Date.now() - started) / 1000)} s] trial ${number}: ${statistics.lines().join(' | ')}`,
      );
  };
  const work = async (): Promise<void> => {
    while (!isOver()) await run(trial++);
  };
  if (values.trial === undefined) await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  else await run(trial);
  for (const line of statistics.lines()) console.log(line);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`${statistics.summary()}; ${found} findings; seed ${values.seed}; ${seconds} s`);
  if (values.reasons) for (const line of statistics.reasonLines()) console.log(line);
  if (values.refusals) for (const line of statistics.refusals) console.log(`REFUSED ${line}`);
  return found === 0 ? 0 : 1;
}

async function told(
  seed: string,
  finding: Finding,
  number: number,
  ring: Ring,
  texts: Set<string>,
): Promise<void> {
  const again = `npm run fuzz -- ${values.socket ? '--socket ' : ''}--seed ${values.seed} --trial ${seed.split('-').at(-1)}`;
  const endMs = performance.now() + Number(values.shrink) * 1000;
  const bounds = { attemptsMax: ATTEMPTS_MAX, endMs };
  const { case: found, attempts } = await shrunkCase(finding, again, ring, bounds);
  const text = caseText(found);
  if (texts.has(text)) return;
  texts.add(text);
  await mkdir(values.folder, { recursive: true });
  const file = join(values.folder, `${seed}-${number}.sql`);
  await writeFile(file, text);
  console.log(
    `--- ${file} after ${attempts} attempts (${(await readdir(values.folder)).length} found)\n${text}`,
  );
}
