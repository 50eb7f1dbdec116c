import pg from 'pg';
import type { Config } from '../config/config.js';
import { connectionConfig } from '../config/database.js';
import { configError } from '../config/errors.js';
import { Planner } from '../planner/planner.js';
import { readRegistry } from '../registry/read-registry.js';
import type { Registry } from '../registry/registry.js';
import { clientConfig } from '../source/connection-config.js';
import { Database } from '../source/database.js';
import { runOn } from '../source/run-on.js';
import type { Run } from '../source/source.js';

/** Reads the catalog once, for commands that look and go. @throws SluiceError */
export async function withRegistry<T>(config: Config, work: (registry: Registry) => Promise<T>): Promise<T> {
  if (config.database === undefined) throw configError('database_not_given');
  const database = new Database({ connection: connectionConfig(config.database), poolMax: 1 });
  try {
    const registry = await database.transaction({ isolation: 'repeatable read', readOnly: true }, (run) =>
      readRegistry(run, config.publication),
    );
    return await work(registry);
  } finally {
    await database.end();
  }
}

/** A planner as a server has it, for as long as the work takes. */
export async function withPlanner<T>(
  config: Config,
  work: (planner: Planner, registry: Registry, run: Run) => Promise<T>,
): Promise<T> {
  return withRegistry(config, async (registry) => {
    const connections = new pg.Pool({ ...clientConfig(connectionConfig(config.database ?? {})), max: 1 });
    try {
      return await work(
        new Planner({ connections, registry: () => registry, defaultRole: config.role }),
        registry,
        runOn(connections),
      );
    } finally {
      await connections.end();
    }
  });
}
