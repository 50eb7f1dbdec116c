// `npm run demo`, also in a clone where nothing is installed and nothing is built: hence no imports but Node's own.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old: the demo needs 20.19 or later.`);
  process.exit(1);
}

const installed = join(root, 'node_modules', '.package-lock.json');
const isInstalled =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
if (!isInstalled) {
  console.log('Installing what is missing …');
  npm('install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error');
}
npm('run', '--silent', 'build');
await import('./dist/demo/run.js');

/** @param {readonly string[]} args */
function npm(...args) {
  const { status } = spawnSync('npm', args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
