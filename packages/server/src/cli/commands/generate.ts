import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../../config/config.js';
import { generateTypeScript } from '../../registry/generate.js';
import { schemaJson } from '../../registry/schema-json.js';
import type { ExitCode, Io } from '../io.js';
import { withRegistry } from '../planning.js';

const FOLDER = 'sluice';

export interface GenerateOptions {
  /** Where to; default `sluice` in the project. */
  readonly out?: string;
}

/** `sluice generate`: writes the registry as JSON, and the rows of its tables as TypeScript. */
export async function generate(config: Config, options: GenerateOptions, io: Io): Promise<ExitCode> {
  const folder = resolve(io.folder, options.out ?? FOLDER);
  const files = await withRegistry(config, async (registry) => ({
    'schema.json': `${JSON.stringify(schemaJson(registry), null, 2)}\n`,
    'schema.ts': generateTypeScript(registry),
  }));
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    io.out(`wrote ${join(folder, name)}\n`);
  }
  return 0;
}
