import { withConnection } from '../check/connect.js';
import { checkDatabase, connectionsOf, type CheckReport } from '../check/check.js';
import type { Config } from '../../config/config.js';
import { readFacts } from '../check/facts.js';
import type { Finding } from '../check/finding.js';
import { grantScript } from '../check/grants.js';
import { printVersion } from '../check/minimum-minors.js';
import { serverObjects } from '../check/objects.js';
import type { ExitCode, Io } from '../io.js';

export interface CheckOptions {
  readonly json?: boolean;
  readonly plan?: boolean;
  readonly printGrants?: boolean;
  readonly serviceRole?: string;
  readonly tables?: string;
  readonly eventTrigger?: boolean;
  readonly drizzle?: string;
}

/** `sluice check`: can this database be used? Changes nothing. */
export async function check(config: Config, options: CheckOptions, io: Io): Promise<ExitCode> {
  if (options.printGrants === true) return printGrants(config, options, io);
  if (options.plan === true) return printPlan(config, options, io);
  const report = await checkDatabase(config);
  io.out(options.json === true ? `${JSON.stringify(plain(report), null, 2)}\n` : inWords(report));
  return report.findings.some((finding) => finding.severity === 'error') ? 1 : 0;
}

async function printGrants(config: Config, options: CheckOptions, io: Io): Promise<ExitCode> {
  const tables = options.tables?.split(',').map((name) => name.trim());
  const script = await withConnection(connectionsOf(config).database, async (client) =>
    grantScript(await readFacts(client, { publication: config.publication, clientRole: config.role }), {
      serviceRole: options.serviceRole ?? 'sluice_service',
      clientRole: config.role,
      publication: config.publication,
      eventTrigger: options.eventTrigger === true,
      ...(tables === undefined ? {} : { tables }),
    }),
  );
  io.out(script);
  return 0;
}

/** What a start would create in the database, and who removes it again. */
async function printPlan(config: Config, options: CheckOptions, io: Io): Promise<ExitCode> {
  const objects = await withConnection(connectionsOf(config).database, async (client) =>
    serverObjects(
      config,
      await readFacts(client, { publication: config.publication, clientRole: config.role }),
    ),
  );
  io.out(
    options.json === true
      ? `${JSON.stringify({ creates: objects }, null, 2)}\n`
      : objects.map(({ what, name, when }) => `${what} ${name}: ${when}\n`).join(''),
  );
  return 0;
}

function plain({ findings, facts }: CheckReport): unknown {
  return {
    ok: !findings.some((finding) => finding.severity === 'error'),
    version: facts === null ? null : printVersion(facts.versionNum),
    findings,
  };
}

function inWords({ findings, facts }: CheckReport): string {
  const head =
    facts === null
      ? []
      : [`Postgres ${printVersion(facts.versionNum)}, database ${facts.database}, role ${facts.role.name}`];
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const verdict =
    errors === 0 ? 'This database can be used.' : `${errors} thing${errors === 1 ? '' : 's'} to mend first.`;
  return [...head, ...findings.flatMap(lines), verdict, ''].join('\n');
}

function lines(finding: Finding): string[] {
  const detail = finding.detail === undefined ? [] : [`  ${finding.detail}`];
  return [`${finding.severity}: ${finding.message} [${finding.code}]`, ...detail, `  → ${finding.remedy}`];
}
