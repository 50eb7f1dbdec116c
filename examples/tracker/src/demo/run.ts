import { demoOptions, startDemo } from './main.js';
import { inWords } from './said.js';

/** `npm run demo`: until Ctrl-C. */
const say = (line: string): void => console.log(line);
let ending = false;
let demo: Awaited<ReturnType<typeof startDemo>> | null = null;

const options = demoOptions(process.env);
const starting = startDemo(options, say);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());

async function end(): Promise<void> {
  // Asked twice; or while it starts, when nothing is there yet that needs an orderly end: data comes whole or not at all.
  if (ending || demo === null) process.exit(130);
  ending = true;
  say('\nEnding …');
  await demo.stop();
  process.exit(0);
}

try {
  demo = await starting;
  say(`\nready: ${demo.url}   (Ctrl-C ends it)`);
} catch (error) {
  console.error(inWords(error));
  if (options.databaseUrl !== undefined)
    console.error(
      'DATABASE_URL is set, so the demo uses that server. To let it start one of its own, unset DATABASE_URL.',
    );
  process.exit(1);
}
