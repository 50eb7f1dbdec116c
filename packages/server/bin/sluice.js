#!/usr/bin/env node
// npm links a command when it installs, in a clone before anything is built: so this file is there, and executable.
import { existsSync } from 'node:fs';

const command = new URL('../dist/cli/bin.js', import.meta.url);
if (existsSync(command)) await import(command.href);
else {
  process.stderr.write('Sluice is not built yet: run `npm run build` first.\n');
  process.exitCode = 1;
}
