import type { Config } from '../../config/config.js';
import type { Facts } from './facts.js';

/** Something of ours that a start creates in the database. */
export interface ServerObject {
  readonly what: 'replication slot' | 'publication';
  readonly name: string;
  /** When it comes and when it goes. */
  readonly when: string;
}

/** All of it. There is no table of ours: nothing that we keep is anywhere but in memory. */
export function serverObjects(config: Config, facts: Facts): ServerObject[] {
  const temporary = config.slot.mode === 'temporary';
  return [
    {
      what: 'replication slot',
      name: temporary ? `${config.slot.name}_*` : config.slot.name,
      when: temporary
        ? 'created at start, gone with the process'
        : 'created at the first start, removed by `sluice drop`',
    },
    ...(facts.publication === null && mayPublish(facts)
      ? [
          {
            what: 'publication' as const,
            name: config.publication,
            when: 'created at start, since the role owns the tables; removed by `sluice drop`',
          },
        ]
      : []),
  ];
}

/** Whether the connected role can create the publication itself. */
export function mayPublish(facts: Facts): boolean {
  return (
    facts.role.superuser ||
    (facts.role.mayCreate && facts.tables.length > 0 && facts.tables.every((table) => table.owned))
  );
}
