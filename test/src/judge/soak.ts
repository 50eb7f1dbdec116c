import { mkdtemp } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DISTURBANCES } from './chaos.js';
import { DEFAULTS, type TrialOptions } from './options.js';
import { passed, summaryOf } from './report.js';
import { runTrial } from './trial.js';

const USAGE = `npm run soak -- [options]
  --minutes N          how long writers run (default 5)
  --seed S             repeats a run as far as concurrency allows (default: random)
  --chaos LIST         none, all (default), or names with commas: ${Object.keys(DISTURBANCES).join(', ')}
  --pause MIN-MAX      seconds between two disturbances (default 5-15)
  --clients N  --views N  --writers N  --writer-pause MS  --churn MS
  --servers N          servers behind a round-robin proxy (default 1)
  --slot MODE          temporary (default) or permanent
  --threads            views in one thread, sessions in another
  --event-trigger      changes of the schema are told by the event trigger, not noticed by polling
  --schema-pause MIN-MAX  seconds between two changes of the schema (default 0.5-5)
  --python             a Python client over SSE takes part
  --wire               writes down all that passes on the clients' wires
  --postgres MAJOR     14 to 18
  --folder PATH        where logs and report.json go`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    chaos: { type: 'string', default: 'all' },
    pause: { type: 'string', default: '5-15' },
    clients: { type: 'string', default: '8' },
    views: { type: 'string', default: '10' },
    writers: { type: 'string', default: '6' },
    'writer-pause': { type: 'string', default: String(DEFAULTS.writerPauseMsMax) },
    churn: { type: 'string', default: String(DEFAULTS.churnMsMax) },
    servers: { type: 'string', default: '1' },
    slot: { type: 'string', default: 'temporary' },
    threads: { type: 'boolean', default: false },
    'event-trigger': { type: 'boolean', default: false },
    'schema-pause': { type: 'string', default: '0.5-5' },
    python: { type: 'boolean', default: false },
    wire: { type: 'boolean', default: false },
    postgres: { type: 'string' },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// What it has started ends with it, also when it is interrupted.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.help) console.log(USAGE);
else process.exitCode = await soak();

async function soak(): Promise<number> {
  const options: TrialOptions = {
    seed: values.seed,
    seconds: Math.round(Number(values.minutes) * 60),
    clients: Number(values.clients),
    views: Number(values.views),
    writers: Number(values.writers),
    writerPauseMsMax: Number(values['writer-pause']),
    churnMsMax: Number(values.churn),
    chaos: chaosOf(values.chaos),
    chaosPauseMs: pauseOf(values.pause),
    servers: Number(values.servers),
    slot: values.slot === 'permanent' ? 'permanent' : 'temporary',
    threads: values.threads,
    eventTrigger: values['event-trigger'],
    schemaPauseMs: pauseOf(values['schema-pause']),
    python: values.python,
    faults: {},
    wire: values.wire,
    postgres: values.postgres === undefined ? undefined : Number(values.postgres),
    folder: values.folder ?? (await mkdtemp(join(tmpdir(), 'sluice-soak-'))),
    print: (line) => console.log(line),
  };
  console.log(`seed ${options.seed}, ${options.seconds} s, logs in ${options.folder}`);
  const report = await runTrial(options);
  const given = process.argv.slice(2);
  const isSeeded = given.some((arg) => arg === '--seed' || arg.startsWith('--seed='));
  const again = ['npm run soak --', ...given, ...(isSeeded ? [] : ['--seed', options.seed])].join(' ');
  console.log(summaryOf(report, again));
  return passed(report) ? 0 : 1;
}

function chaosOf(text: string): readonly string[] {
  if (text === 'none') return [];
  if (text === 'all') return Object.keys(DISTURBANCES);
  const names = text.split(',');
  const unknown = names.find((name) => !(name in DISTURBANCES));
  if (unknown !== undefined) throw new Error(`no disturbance is called ${unknown}\n${USAGE}`);
  return names;
}

/** `5-15` seconds. */
function pauseOf(text: string): readonly [number, number] {
  const [least = 5, most = least] = text.split('-').map(Number);
  return [least * 1000, most * 1000];
}
