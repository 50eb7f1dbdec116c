import { parentPort, workerData } from 'node:worker_threads';
import { must } from '@sluice/core/assert';
import { SluiceError } from '@sluice/core/errors';
import { cliError } from './cli/errors.js';
import { loggable, makeLogger } from './metrics/log.js';
import {
  withPassword,
  type Call,
  type FromWorker,
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

parent.on('message', (message: ToWorker) => {
  if (message.kind === 'password') asked.get(message.id)?.(message.password);
  else void answer(message.id, message.call);
});

async function answer(id: number, call: Call): Promise<void> {
  try {
    tell({ kind: 'answer', id, value: await perform(call) });
  } catch (error) {
    if (!(error instanceof SluiceError))
      log.error({ event: 'thread_call_failed', method: call.method, error: loggable(error) });
    const known =
      error instanceof SluiceError ? error : cliError('internal', `${call.method} of the views' thread`);
    tell({ kind: 'failed', id, error: known.toWire() });
  }
}

async function perform(call: Call): Promise<unknown> {
  switch (call.method) {
    case 'start':
      return side.start();
    case 'status':
      return side.status();
    case 'schema':
      return side.schema(call.role);
    case 'explain':
      return side.explain(call.spec);
    case 'stop':
      await side.stop();
      return stopServing();
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
