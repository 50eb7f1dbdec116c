import type pg from 'pg';
import { SluiceError } from '@sluice/core/errors';
import { connectionConfig } from '../../config/database.js';
import { clientConfig } from '../../source/connection-config.js';
import { CONNECTIONS_BESIDE_POOL } from '../../source-side.js';
import type { Config } from '../../config/config.js';
import { configError } from '../../config/errors.js';
import { withConnection } from './connect.js';
import { drizzleFindings, schemaOf } from './drizzle-schema.js';
import { readFacts, type Facts } from './facts.js';
import { fromError, type Finding } from './finding.js';
import { poolerFindings, replicationFindings } from './pooler.js';
import { rightsFindings } from './rights-rules.js';
import { serverFindings, type Needs } from './server-rules.js';

export interface CheckReport {
  readonly findings: readonly Finding[];
  /** Null when Postgres could not be asked. */
  readonly facts: Facts | null;
}

export interface Connections {
  readonly database: pg.ClientConfig;
  readonly replication: pg.ClientConfig;
  /** Whether the stream has a URL of its own. */
  readonly ownReplication: boolean;
}

/** @throws SluiceError `database_not_given`, `database_url_invalid` */
export function connectionsOf(config: Config): Connections {
  if (config.database === undefined) throw configError('database_not_given');
  const database = clientConfig(connectionConfig(config.database));
  const replication =
    config.replication === undefined ? database : clientConfig(connectionConfig(config.replication));
  return { database, replication, ownReplication: config.replication !== undefined };
}

/** Can this database be used with this configuration? Asks only; changes nothing. */
export async function checkDatabase(config: Config): Promise<CheckReport> {
  const { database, replication, ownReplication } = connectionsOf(config);
  try {
    const { facts, schema } = await withConnection(database, async (client) => ({
      facts: await readFacts(client, { publication: config.publication, clientRole: config.role }),
      schema: await drizzleFindings(client, config.drizzle ?? schemaOf(config.db)),
    }));
    const needs = needsOf(config);
    const rules = [...serverFindings(facts, needs), ...rightsFindings(facts, needs), ...schema];
    const probes = await Promise.all([
      poolerFindings(database, ownReplication),
      replicationFindings(replication),
    ]);
    return { findings: inOrder([...rules, ...newOnes(probes.flat(), rules)]), facts };
  } catch (error) {
    if (error instanceof SluiceError) return { findings: [fromError(error)], facts: null };
    throw error;
  }
}

export function needsOf(config: Config): Needs {
  return {
    publication: config.publication,
    clientRole: config.role,
    slotName: config.slot.name,
    visible: config.visible,
    connections: config.poolMax + CONNECTIONS_BESIDE_POOL,
  };
}

/** A probe may stumble over what a rule has explained better. */
function newOnes(found: readonly Finding[], known: readonly Finding[]): Finding[] {
  const codes = new Set(known.map((finding) => finding.code));
  return found.filter((finding) => !codes.has(finding.code));
}

const WEIGHT = { error: 0, warning: 1, note: 2 } as const;

function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity]);
}

/** The first obstacle as the error that stops a start; null when nothing stands in the way. */
export function firstObstacle(findings: readonly Finding[]): SluiceError | null {
  const found = findings.find((finding) => finding.severity === 'error');
  if (found === undefined) return null;
  const entry = { message: found.message, hint: found.remedy, retry: false, stage: 'cli' } as const;
  return new SluiceError(found.code, entry, found.detail);
}
