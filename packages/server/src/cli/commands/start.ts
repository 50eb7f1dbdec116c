import type { Config } from '../../config/config.js';
import { makeSluice, type Sluice } from '../../sluice.js';
import type { ExitCode, Io } from '../io.js';

/** `sluice start`: serves until it is told to stop. */
export async function start(config: Config, io: Io): Promise<ExitCode> {
  return serve(makeSluice(config), io);
}

/** Prints the one line when it can serve; stops in order at the first signal, also while it is starting. */
export async function serve(sluice: Sluice, io: Io): Promise<ExitCode> {
  const stopped = io.stopped();
  const listening = sluice.listen().then((url) => io.out(`sluice ready ${url}\n`));
  listening.catch(() => undefined); // a stop ends the start: that is no failure
  const asked = await Promise.race([listening.then(() => false), stopped.then(() => true)]);
  if (!asked) await stopped;
  await sluice.stop();
  return 0;
}
