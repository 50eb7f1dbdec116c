import { formatBytes } from '../../config/bytes.js';
import type { Facts } from './facts.js';
import { note, obstacle, warning, type Finding } from './finding.js';
import { EXACT_MINORS, isFrom, printMinors, printVersion, SOUND_MINORS } from './minimum-minors.js';

export interface Needs {
  readonly publication: string;
  readonly clientRole: string;
  readonly slotName: string;
  readonly visible: boolean;
  /** Connections that we may open, the stream's included. */
  readonly connections: number;
}

/** Can this server carry a stream? */
export function serverFindings(facts: Facts, needs: Needs): Finding[] {
  return [
    ...version(facts),
    ...walLevel(facts),
    ...slots(facts),
    ...leftOver(facts, needs),
    ...connections(facts, needs),
    ...synchronous(facts, needs),
    ...(facts.eventTrigger ? [] : [note('event_trigger_missing')]),
  ];
}

function version(facts: Facts): Finding[] {
  const found: Finding[] = [];
  const { versionNum } = facts;
  const detail = (minors: typeof EXACT_MINORS, is: string): string =>
    `${printVersion(versionNum)}; ${is}: ${printMinors(minors)} or later`;
  if (!isFrom(EXACT_MINORS, versionNum))
    found.push(obstacle('server_too_old', detail(EXACT_MINORS, 'needed')));
  else if (!isFrom(SOUND_MINORS, versionNum))
    found.push(warning('server_minor_old', detail(SOUND_MINORS, 'better')));
  if (facts.standby) found.push(obstacle('database_is_standby'));
  return found;
}

function walLevel({ settings }: Facts): Finding[] {
  if (settings['wal_level'] === 'logical') return [];
  const rds = settings['rds.logical_replication'];
  const rdsNote = rds === undefined ? '' : `; rds.logical_replication = ${rds}`;
  return [
    obstacle(
      'wal_level_not_logical',
      `wal_level = ${settings['wal_level']}${rdsNote}`,
      rds === undefined
        ? 'Run ALTER SYSTEM SET wal_level = logical as a superuser and restart Postgres.'
        : 'Set rds.logical_replication = 1 in the parameter group of the instance or cluster and reboot it.',
    ),
  ];
}

function slots(facts: Facts): Finding[] {
  const found: Finding[] = [];
  const slotsMax = Number(facts.settings['max_replication_slots']);
  const sendersMax = Number(facts.settings['max_wal_senders']);
  const slotsFree = slotsMax - facts.slots.length;
  const sendersFree = sendersMax - facts.sendersUsed;
  const slotCount = `${facts.slots.length} of ${slotsMax} slots`;
  const senderCount = `${facts.sendersUsed} of ${sendersMax} WAL senders`;
  if (slotsFree < 1) found.push(obstacle('replication_slots_full', `${slotCount} in use`));
  if (sendersFree < 1) found.push(obstacle('replication_slots_full', `${senderCount} in use`));
  if (found.length === 0 && Math.min(slotsFree, sendersFree) < 2) {
    found.push(warning('slots_few', `${slotCount} and ${senderCount} in use`));
  }
  if (facts.settings['max_slot_wal_keep_size'] === '-1') found.push(note('slot_limit_missing'));
  return found;
}

function leftOver(facts: Facts, needs: Needs): Finding[] {
  return facts.slots
    .filter((slot) => slot.here && !slot.active && !slot.temporary && isOurs(slot.name, needs.slotName))
    .map((slot) => {
      const held = slot.retainedBytes === null ? 'nothing more' : formatBytes(slot.retainedBytes);
      return warning(
        'slot_left_over',
        `${slot.name} holds ${held}${slot.walStatus === 'lost' ? ', and is lost' : ''}`,
      );
    });
}

export function isOurs(slot: string, name: string): boolean {
  return slot === name || slot.startsWith(`${name}_`);
}

function connections(facts: Facts, needs: Needs): Finding[] {
  const reserved = ['superuser_reserved_connections', 'reserved_connections'].reduce(
    (sum, name) => sum + Number(facts.settings[name] ?? 0),
    0,
  );
  const free = Number(facts.settings['max_connections']) - reserved - facts.connectionsUsed;
  const limit = facts.role.connectionLimit;
  const available = limit < 0 ? free : Math.min(free, limit);
  if (available >= needs.connections) return [];
  return [warning('connections_few', `we may use ${needs.connections}, ${available} are left`)];
}

function synchronous(facts: Facts, needs: Needs): Finding[] {
  const names = facts.settings['synchronous_standby_names'] ?? '';
  if (names === '') return [];
  const found: Finding[] = [];
  if (!needs.visible) found.push(warning('synchronous_standby'));
  if (
    needs.visible &&
    facts.versionNum >= 170_000 &&
    (facts.settings['synchronized_standby_slots'] ?? '') === ''
  ) {
    found.push(
      note(
        'synchronous_standby',
        'synchronized_standby_slots is empty',
        'Name the slots of the standbys in synchronized_standby_slots, so that the stream never runs ahead of them.',
      ),
    );
  }
  return found;
}
