import { spawn } from 'node:child_process';
import { appendFileSync, openSync } from 'node:fs';

// `sluice` for the blocks of a page. A command that serves goes on behind the shell once it is ready, on the
// test's port: a reader would open another terminal.

const { SHIM_SLUICE = '', SHIM_PORT = '0', SHIM_SERVERS = '', SHIM_LOG = '' } = process.env;
const args = process.argv.slice(2);

if (args[0] === 'start' || args[0] === 'dev') {
  const log = openSync(SHIM_LOG, 'w');
  const server = spawn(process.execPath, [SHIM_SLUICE, ...args, '--port', SHIM_PORT], {
    detached: true,
    stdio: ['ignore', 'pipe', log],
  });
  appendFileSync(SHIM_SERVERS, `${server.pid}\n`);
  server.once('exit', (code) => process.exit(code ?? 1));
  let said = '';
  server.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (!said.includes('ready')) return;
    process.stdout.write(said);
    process.exit(0);
  });
} else {
  spawn(process.execPath, [SHIM_SLUICE, ...args], { stdio: 'inherit' }).once('exit', (code) =>
    process.exit(code ?? 1),
  );
}
