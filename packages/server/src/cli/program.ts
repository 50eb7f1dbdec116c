import { Command, CommanderError } from 'commander';
import { CONFIG_ERRORS } from '../config/errors.js';
import { importModule } from '../config/load.js';
import { check, type CheckOptions } from './commands/check.js';
import { dev } from './commands/dev.js';
import { drop } from './commands/drop.js';
import { explain, type ExplainOptions } from './commands/explain.js';
import { generate, type GenerateOptions } from './commands/generate.js';
import { start } from './commands/start.js';
import { cliError } from './errors.js';
import { addConfigFlags, configOf } from './flags.js';
import type { ExitCode, Io } from './io.js';
import { asSluiceError, printError } from './print-error.js';

/**
 * Runs one command line.
 * @param argv without node and script
 * @returns the exit code; nothing is thrown: what went wrong was said on `io.err`
 */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const result: { code: ExitCode } = { code: 0 };
  const program = commands(io, result);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return result.code;
  } catch (error) {
    if (error instanceof CommanderError) return wronglyCalled(error, io);
    const known = asSluiceError(error);
    io.err(printError(known));
    return known.code in CONFIG_ERRORS ? 2 : 1;
  }
}

function commands(io: Io, result: { code: ExitCode }): Command {
  const program = new Command('sluice')
    .description('Live queries over an existing Postgres')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: () => undefined });

  addConfigFlags(
    program
      .command('dev')
      .description('serve for development; with a Postgres of its own unless DATABASE_URL is set'),
  ).action(async (_options: unknown, command: Command) => {
    result.code = await dev((await configOf(command, io)).config, io);
  });

  addConfigFlags(program.command('start').description('serve')).action(
    async (_options: unknown, command: Command) => {
      result.code = await start((await configOf(command, io)).config, io);
    },
  );

  addConfigFlags(program.command('check').description('can this database be used? changes nothing'))
    .option('--json', 'print the findings as JSON')
    .option('--plan', 'list what a start would create in the database')
    .option('--print-grants', 'print the least rights, for the owner of the tables to run')
    .option(
      '--service-role <name>',
      'with --print-grants: the role that we shall connect as (default: sluice_service)',
    )
    .option('--tables <list>', 'with --print-grants: only these tables, schema-qualified (default: all)')
    .option('--drizzle <file>', 'compare the Drizzle schema that a module exports with the catalog')
    .option('--event-trigger', 'with --print-grants: also the event trigger for schema changes')
    .action(async (options: CheckOptions, command: Command) => {
      const { config } = await configOf(command, io);
      const drizzle =
        options.drizzle === undefined ? config.drizzle : await importModule(io.folder, options.drizzle);
      result.code = await check({ ...config, drizzle }, options, io);
    });

  addConfigFlags(
    program
      .command('explain')
      .argument('<sql>')
      .description('how a query would be kept live, or why it is refused'),
  )
    .option('--json', 'print it as JSON')
    .option('--ad-hoc', 'as SQL of a client: only functions on the list')
    .action(async (sql: string, options: ExplainOptions, command: Command) => {
      result.code = await explain(sql, (await configOf(command, io)).config, options, io);
    });

  addConfigFlags(
    program.command('generate').description('write the schema as JSON, and its rows as TypeScript'),
  )
    .option('-o, --out <folder>', 'where to (default: sluice)')
    .action(async (options: GenerateOptions, command: Command) => {
      result.code = await generate((await configOf(command, io)).config, options, io);
    });

  addConfigFlags(program.command('drop').description('remove what a start created in the database')).action(
    async (_options: unknown, command: Command) => {
      result.code = await drop((await configOf(command, io)).config, io);
    },
  );
  return program;
}

function wronglyCalled(error: CommanderError, io: Io): ExitCode {
  if (error.exitCode === 0) return 0; // --help
  const said =
    error.code === 'commander.help' ? 'no command was given' : error.message.replace(/^error: /, '');
  io.err(printError(cliError('usage_wrong', said)));
  return 2;
}
