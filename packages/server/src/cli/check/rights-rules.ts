import type { Facts, TableFacts } from './facts.js';
import { note, obstacle, warning, type Finding } from './finding.js';
import type { Needs } from './server-rules.js';

/** A finding names at most so many tables; the rest is counted. */
const NAMES_MAX = 20;

/** May we do what we have to, and nothing else? */
export function rightsFindings(facts: Facts, needs: Needs): Finding[] {
  return [
    ...serviceRole(facts),
    ...clientRole(facts, needs),
    ...publication(facts, needs),
    ...tables(facts, needs),
  ];
}

function serviceRole({ role, database, rdsReplicationRole, tables }: Facts): Finding[] {
  const found: Finding[] = [];
  if (!role.replication) {
    const sql = rdsReplicationRole
      ? `GRANT rds_replication TO ${quoted(role.name)}`
      : `ALTER ROLE ${quoted(role.name)} REPLICATION`;
    found.push(obstacle('replication_not_allowed', role.name, `As a superuser run: ${sql};`));
  }
  if (role.superuser) found.push(warning('role_too_strong', `${role.name} is a superuser`));
  else if (role.bypassRls) found.push(warning('role_too_strong', `${role.name} has BYPASSRLS`));
  if (!role.mayAnalyse)
    found.push(
      warning(
        'temporary_not_allowed',
        role.name,
        `Let the owner run: GRANT TEMPORARY ON DATABASE ${quoted(database)} TO ${quoted(role.name)};`,
      ),
    );
  const owned = role.superuser ? [] : tables.filter((table) => table.owned);
  if (owned.length > 0) found.push(warning('role_owns_tables', list(owned)));
  return found;
}

function clientRole({ clientRole: role, role: service, tables }: Facts, needs: Needs): Finding[] {
  if (role === null) return [obstacle('client_role_missing', needs.clientRole)];
  const found: Finding[] = [];
  if (!role.granted) {
    found.push(
      obstacle(
        'client_role_not_granted',
        `${service.name} is no member of ${role.name}`,
        `Let the owner run: GRANT ${quoted(role.name)} TO ${quoted(service.name)};`,
      ),
    );
  }
  const owned = tables.filter((table) => table.ownedByClientRole);
  if (role.superuser) found.push(obstacle('client_role_too_strong', `${role.name} is a superuser`));
  else if (role.bypassRls) found.push(obstacle('client_role_too_strong', `${role.name} has BYPASSRLS`));
  else if (owned.length > 0)
    found.push(obstacle('client_role_too_strong', `${role.name} owns ${list(owned)}`));
  return found;
}

function publication({ publication: found, tables }: Facts, needs: Needs): Finding[] {
  if (found === null) return [obstacle('publication_missing', needs.publication)];
  const name = quoted(needs.publication);
  const findings: Finding[] = [];
  if (!found.complete || found.viaRoot) {
    const sql = `ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = false);`;
    findings.push(obstacle('publication_partial', needs.publication, `As ${found.owner} run: ${sql}`));
  }
  const filtered = tables.filter((table) => table.filtered);
  if (filtered.length > 0) {
    const sql = filtered
      .map(
        ({ name: table }) =>
          `ALTER PUBLICATION ${name} DROP TABLE ${table}; ALTER PUBLICATION ${name} ADD TABLE ${table};`,
      )
      .join(' ');
    findings.push(
      obstacle(
        'publication_partial',
        `rows or columns are hidden: ${list(filtered)}`,
        `As ${found.owner} run: ${sql}`,
      ),
    );
  }
  return findings;
}

function tables(facts: Facts, needs: Needs): Finding[] {
  const streamed = facts.tables.filter(isStreamed);
  const missing = facts.publication === null ? [] : streamed.filter((table) => !table.published);
  const published = streamed.filter((table) => table.published);
  const role = quoted(facts.role.name);
  const client = quoted(needs.clientRole);
  return [
    ...about(missing, (names) =>
      warning(
        'tables_not_published',
        list(missing),
        `As the owner run: ALTER PUBLICATION ${quoted(needs.publication)} ADD TABLE ${names};`,
      ),
    ),
    ...about(
      published.filter((table) => !table.readable),
      (names, of) =>
        warning('tables_not_readable', list(of), `Let the owner run: GRANT SELECT ON ${names} TO ${role};`),
    ),
    ...about(
      facts.clientRole === null ? [] : published.filter((table) => !table.readableByClientRole),
      (names, of) =>
        note(
          'tables_hidden_from_clients',
          list(of),
          `If clients shall see them: GRANT SELECT ON ${names} TO ${client};`,
        ),
    ),
    ...identities(published),
    ...about(
      facts.tables.filter((table) => table.rowSecurity),
      (_, of) => warning('row_security', list(of)),
    ),
    ...about(
      facts.tables.filter((table) => table.unlogged),
      (_, of) => note('tables_unlogged', list(of)),
    ),
    ...about(
      facts.tables.filter((table) => table.kind === 'foreign' || table.kind === 'materialized'),
      (_, of) => note('tables_not_streamed', list(of)),
    ),
  ];
}

function identities(published: readonly TableFacts[]): Finding[] {
  const without = published.flatMap((table) => table.withoutIdentity);
  const full = published.filter((table) => table.identity === 'full' && table.hasKey);
  const found = about(full, (_, of) => note('identity_full', list(of)));
  if (without.length === 0) return found;
  const sql = without.map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL;`).join(' ');
  found.push(warning('identity_missing', first(without), `Add a primary key, or let the owner run: ${sql}`));
  return found;
}

/** Whether its changes can be in the WAL at all. */
export function isStreamed(table: TableFacts): boolean {
  return (table.kind === 'table' || table.kind === 'partitioned') && !table.unlogged;
}

function about(
  of: readonly TableFacts[],
  make: (names: string, of: readonly TableFacts[]) => Finding,
): Finding[] {
  return of.length === 0 ? [] : [make(of.map((table) => table.name).join(', '), of)];
}

function list(of: readonly TableFacts[]): string {
  return first(of.map((table) => table.name));
}

function first(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  return names.slice(0, NAMES_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** An identifier as Postgres quotes it. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
