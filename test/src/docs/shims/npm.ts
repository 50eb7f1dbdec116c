import { readFileSync } from 'node:fs';

// `npm` for the blocks of a page: a suite that runs itself would not end. What is called has to be there.

const [command, script] = process.argv.slice(2);
const name = command === 'run' ? script : command;
if (name !== 'install' && name !== undefined) {
  const manifest: unknown = JSON.parse(readFileSync(String(process.env['SHIM_MANIFEST']), 'utf8'));
  const { scripts } = manifest as { scripts: Record<string, string> };
  if (scripts[name] === undefined) throw new Error(`package.json has no script ${name}`);
}
