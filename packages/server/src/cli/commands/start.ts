import type { Config } from '../../config/config.js';
import { makeSluice, type Sluice } from '../../sluice.js';
import type { ExitCode, Io } from '../io.js';

/** `sluice start`: serves until it is told to stop. */
export async function start(config: Config, io: Io): Promise<ExitCode> {
  return serve(makeSluice(config), io);
}

/** Prints the one line when it can serve; stops in order at the first signal, also while it is starting. */
export async function serve(sluice: Sluice, io: Io): Promise<ExitCode> {
  const stopped = io.stopped().then(() => null);
  const failed = sluice.failed.then((error) => ({ error }));
  const listening = sluice.listen().then((url) => {
    io.out(`sluice ready ${url}\n`);
    return Promise.race([stopped, failed]);
  });
  listening.catch(() => undefined); // a stop ends the start: that is no failure
  const outcome = await Promise.race([listening, stopped, failed]);
  await sluice.stop();
  if (outcome !== null) throw outcome.error;
  return 0;
}
