import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { connectionsOf, needsOf } from '../check/check.js';
import { withConnection } from '../check/connect.js';
import { readFacts } from '../check/facts.js';
import { isOurs } from '../check/server-rules.js';
import { quoted } from '../check/rights-rules.js';
import { cliError } from '../errors.js';
import type { ExitCode, Io } from '../io.js';

/**
 * `sluice drop`: removes what a start created: idle slots of ours, and the publication when it is the role's own.
 * A publication that an owner made is the owner's to keep: it costs nothing while nobody listens.
 */
export async function drop(config: Config, io: Io): Promise<ExitCode> {
  await withConnection(connectionsOf(config).database, async (client) => {
    await dropSlots(client, config, io);
    await dropPublication(client, config, io);
  });
  return 0;
}

async function dropSlots(client: pg.Client, config: Config, io: Io): Promise<void> {
  const facts = await readFacts(client, needsOf(config));
  const ours = facts.slots.filter(
    (slot) => slot.here && !slot.temporary && isOurs(slot.name, config.slot.name),
  );
  const busy = ours.filter((slot) => slot.active).map((slot) => slot.name);
  for (const slot of ours.filter(({ active }) => !active)) {
    await client.query('SELECT pg_drop_replication_slot($1)', [slot.name]);
    io.out(`dropped slot ${slot.name}\n`);
  }
  if (busy.length > 0) {
    throw cliError('drop_incomplete', `in use: ${busy.join(', ')}. Stop the servers that hold them first.`);
  }
}

async function dropPublication(client: pg.Client, config: Config, io: Io): Promise<void> {
  const { publication } = await readFacts(client, needsOf(config));
  if (publication === null) return;
  if (!publication.owned) {
    io.err(`kept publication ${config.publication}: it belongs to ${publication.owner}\n`);
    return;
  }
  await client.query(`DROP PUBLICATION ${quoted(config.publication)}`);
  io.out(`dropped publication ${config.publication}\n`);
}
