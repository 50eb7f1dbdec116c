import { parentPort, workerData } from 'node:worker_threads';
import { must } from '@sluice/core/assert';
import { SluiceError } from '@sluice/core/errors';
import { cliError } from './cli/errors.js';
import { loggable, makeLogger } from './metrics/log.js';
import {
  withPassword,
  type FromWorker,
  type Method,
  type ToWorker,
  type Which,
  type WorkerData,
} from './source-side-calls.js';
import { sourceError } from './source/errors.js';
import { LocalSourceSide } from './source-side.js';
import { serveViews } from './views/message-port.js';

/*
 * The thread of source, planner and views: what `ThreadedSourceSide` starts. The views speak over a channel of their
 * own; everything else is a call.
 */

const parent = must(parentPort, 'this runs as a worker');
const { options, logLevel, views } = workerData as WorkerData;
const log = makeLogger(logLevel);
const asked = new Map<number, (password: string | null) => void>();
let questions = 0;

type Call = Extract<ToWorker, { readonly kind: 'call' }>;

const side = new LocalSourceSide(
  {
    ...options,
    database: withPassword(options.database, () => askPassword('database')),
    replication: withPassword(options.replication, () => askPassword('replication')),
  },
  log,
  () => tell({ kind: 'changed' }),
);
const stopServing = serveViews(side.port, views);
const methods: Readonly<Record<Method, (argument: string) => Promise<unknown>>> = {
  start: () => side.start(),
  status: () => side.status(),
  schema: (role) => side.schema(role),
  stop: async () => {
    await side.stop();
    stopServing();
  },
};

parent.on('message', (message: ToWorker) => {
  if (message.kind === 'password') asked.get(message.id)?.(message.password);
  else void answer(message);
});

async function answer({ id, method, argument = '' }: Call): Promise<void> {
  try {
    tell({ kind: 'answer', id, value: await methods[method](argument) });
  } catch (error) {
    if (!(error instanceof SluiceError))
      log.error({ event: 'thread_call_failed', method, error: loggable(error) });
    const known =
      error instanceof SluiceError ? error : cliError('internal', `${method} of the views' thread`);
    tell({ kind: 'failed', id, error: known.toWire() });
  }
}

async function askPassword(which: Which): Promise<string> {
  const id = ++questions;
  const password = await new Promise<string | null>((resolve) => {
    asked.set(id, resolve);
    tell({ kind: 'password', id, which });
  });
  asked.delete(id);
  if (password === null) throw sourceError('database_password_failed');
  return password;
}

function tell(message: FromWorker): void {
  parent.postMessage(message);
}
