import { Option, type Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/load.js';
import { configKeys } from '../config/keys.js';
import type { Io } from './io.js';

/** Gives a command a flag for every key of the configuration, and --config. */
export function addConfigFlags(command: Command): Command {
  command.option(
    '-c, --config <file>',
    'the configuration file; default: sluice.config.{ts,mts,js,mjs,json}',
  );
  for (const key of configKeys()) {
    if (key.kind === 'none') continue;
    const argument =
      key.kind === 'boolean'
        ? ''
        : ` <${key.kind === 'text' ? (key.choices?.join('|') ?? 'text') : key.kind}>`;
    const fallback =
      key.fallback === undefined || key.kind === 'boolean' ? '' : ` (default: ${key.fallback})`;
    command.addOption(new Option(`${key.flag}${argument}`, `${key.meaning}${fallback}`));
    if (key.kind === 'boolean') command.addOption(new Option(key.flag.replace('--', '--no-')).hideHelp());
  }
  return command;
}

/** The configuration that a command runs with. */
export function configOf(command: Command, io: Io): Promise<LoadedConfig> {
  const given = command.opts<Record<string, unknown>>();
  const flags = new Map<string, string | boolean>();
  for (const key of configKeys()) {
    const name = key.flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = given[name];
    const fromUser = command.getOptionValueSource(name) === 'cli';
    if (fromUser && (typeof value === 'string' || typeof value === 'boolean')) flags.set(key.key, value);
  }
  const file = given['config'];
  return loadConfig({
    folder: io.folder,
    environment: io.environment,
    flags,
    ...(typeof file === 'string' ? { file } : {}),
  });
}
