import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cli/program.js';

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line within this process, in an empty folder. */
export async function sluice(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<CommandResult> {
  const said = { out: '', err: '' };
  const code = await run(argv, {
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    environment,
    folder: await mkdtemp(join(tmpdir(), 'sluice-cli-')),
    stopped: () => Promise.reject(new Error('not for commands that serve')),
  });
  return { code, ...said };
}
