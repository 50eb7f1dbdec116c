import { demoOptions, startDemo } from './main.js';

/** `npm run demo`: until Ctrl-C. */
const say = (line: string): void => console.log(line);
let ending = false;
let demo: Awaited<ReturnType<typeof startDemo>> | null = null;

const starting = startDemo(demoOptions(process.env), say);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());

async function end(): Promise<void> {
  if (ending) process.exit(1); // asked twice
  ending = true;
  say('\nEnding …');
  demo ??= await starting.catch(() => null);
  await demo?.stop();
  process.exit(0);
}

try {
  demo = await starting;
  say(`\nready: ${demo.url}   (Ctrl-C ends it)`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
