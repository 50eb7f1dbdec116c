import { access, readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import type { Config } from './config.js';
import { configError } from './errors.js';
import { configKeys, readText, type ConfigKey } from './keys.js';
import { parseConfig } from './schema.js';

const NAMES = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `sluice.config.${extension}`);

export interface LoadOptions {
  /** Where to look for `sluice.config.*`. */
  readonly folder: string;
  /** A file named by the user, instead. */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Flags by key, as text or boolean. */
  readonly flags: ReadonlyMap<string, string | boolean>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read; null when there is none. */
  readonly file: string | null;
}

/**
 * The configuration of a process: flags before `SLUICE_*` before the file before `DATABASE_URL` before defaults.
 * @throws SluiceError of `CONFIG_ERRORS`
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const file = await findFile(options);
  const merged = file === null ? {} : asObject(await readConfigFile(file), file);
  const origins = new Map<string, string>();
  const url = options.environment['DATABASE_URL'];
  if (url !== undefined && url !== '' && merged['database'] === undefined) merged['database'] = url;
  for (const key of configKeys()) {
    if (key.kind === 'none') continue;
    const given = fromFlag(key, options) ?? fromEnvironment(key, options);
    if (given === null) continue;
    set(merged, key.key, given.value);
    origins.set(key.key, given.origin);
  }
  return { config: parseConfig(merged, origins), file };
}

interface Given {
  readonly value: unknown;
  readonly origin: string;
}

function fromFlag(key: ConfigKey, { flags }: LoadOptions): Given | null {
  const flag = flags.get(key.key);
  if (flag === undefined) return null;
  return { value: typeof flag === 'string' ? readText(key, flag) : flag, origin: key.flag };
}

function fromEnvironment(key: ConfigKey, { environment }: LoadOptions): Given | null {
  const text = environment[key.variable];
  if (text === undefined || text === '') return null;
  // Kubernetes sets this for a service of that name, and means another thing.
  if (key.variable === 'SLUICE_PORT' && text.startsWith('tcp://')) return null;
  return { value: readText(key, text), origin: key.variable };
}

/** Copies on the way down: the file's own objects stay as they are. */
function set(target: Record<string, unknown>, path: string, value: unknown): void {
  const [head = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const below = target[head];
  const inner = typeof below === 'object' && below !== null ? { ...below } : {};
  set(inner, rest.join('.'), value);
  target[head] = inner;
}

async function findFile(options: LoadOptions): Promise<string | null> {
  if (options.file !== undefined) {
    const file = resolve(options.folder, options.file);
    if (!(await exists(file))) throw configError('config_file_missing', file);
    return file;
  }
  const there: string[] = [];
  for (const name of NAMES) if (await exists(join(options.folder, name))) there.push(name);
  if (there.length > 1) throw configError('config_file_ambiguous', there.join(', '));
  return there[0] === undefined ? null : join(options.folder, there[0]);
}

/**
 * What a module of the application exports, TypeScript or not.
 * @throws SluiceError `config_file_missing`, `config_file_broken`
 */
export async function importModule(folder: string, path: string): Promise<object> {
  const file = resolve(folder, path);
  if (!(await exists(file))) throw configError('config_file_missing', file);
  try {
    return await importFile(file);
  } catch (error) {
    throw configError('config_file_broken', `${basename(file)}: ${said(error)}`, { cause: error });
  }
}

async function importFile(file: string): Promise<object> {
  return ['.ts', '.mts', '.cts'].includes(extname(file))
    ? await createJiti(import.meta.url, { moduleCache: false }).import<object>(file)
    : ((await import(pathToFileURL(file).href)) as object);
}

async function readConfigFile(file: string): Promise<unknown> {
  try {
    const extension = extname(file);
    if (extension === '.json') return JSON.parse(await readFile(file, 'utf8'));
    const exported: unknown = ['.ts', '.mts', '.cts'].includes(extension)
      ? await createJiti(import.meta.url, { moduleCache: false }).import(file, { default: true })
      : ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
    return typeof exported === 'function' ? await (exported as () => unknown)() : await exported;
  } catch (error) {
    throw configError('config_file_broken', `${basename(file)}: ${said(error)}`, { cause: error });
  }
}

function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split('\n')[0]}` : 'not an Error';
}

function asObject(value: unknown, file: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw configError('config_file_broken', `${basename(file)}: exports no configuration object as default`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
