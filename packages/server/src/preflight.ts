import type { Logger } from 'pino';
import { checkDatabase, connectionsOf, firstObstacle, type CheckReport } from './cli/check/check.js';
import { withConnection } from './cli/check/connect.js';
import { publicationStatements } from './cli/check/grants.js';
import { mayPublish } from './cli/check/objects.js';
import type { Config } from './config/config.js';

/**
 * Everything that `sluice check` finds, before anything is started: what stops us is thrown with its remedy, what is
 * worth knowing is logged. Where the role owns the tables, a missing publication is created.
 *
 * @throws SluiceError the first obstacle
 */
export async function preflight(config: Config, log: Logger): Promise<void> {
  const report = await published(config, await checkDatabase(config), log);
  for (const { severity, code, message, detail, remedy } of report.findings) {
    if (severity !== 'note') log.warn({ event: 'check', severity, code, detail, remedy }, message);
  }
  const obstacle = firstObstacle(report.findings);
  if (obstacle !== null) throw obstacle;
}

async function published(config: Config, report: CheckReport, log: Logger): Promise<CheckReport> {
  const { facts } = report;
  if (facts === null || facts.publication !== null || !mayPublish(facts)) return report;
  const statements = publicationStatements(facts, config.publication, facts.tables);
  await withConnection(connectionsOf(config).database, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
  log.info({ event: 'publication_created', publication: config.publication });
  return checkDatabase(config);
}
