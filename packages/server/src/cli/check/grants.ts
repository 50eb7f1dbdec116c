import type { Facts, TableFacts } from './facts.js';
import { isStreamed, quoted } from './rights-rules.js';

export interface GrantsOptions {
  readonly serviceRole: string;
  readonly clientRole: string;
  readonly publication: string;
  /** Only these tables, by qualified name; default: all that replicate. */
  readonly tables?: readonly string[];
  /** Also the event trigger that tells the exact position of schema changes. */
  readonly eventTrigger?: boolean;
}

/** The facts that the least rights follow from. */
export type GrantsFacts = Pick<
  Facts,
  'database' | 'publication' | 'tables' | 'schemas' | 'rdsReplicationRole'
>;

/**
 * The least rights, as statements for the owner of the tables to run once: two roles, SELECT, and the publication.
 * What is there already is left as it is, so that running it again after CREATE TABLE adds what is new.
 *
 * No password is set, so that nobody ever leaves a printed one in place; without one the role cannot log in from
 * outside. A table without a replica identity gets FULL first: published without, its UPDATEs would fail.
 */
export function grantStatements(facts: GrantsFacts, options: GrantsOptions): string[] {
  const service = quoted(options.serviceRole);
  const both = `${service}, ${quoted(options.clientRole)}`;
  const chosen = facts.tables.filter((table) => options.tables?.includes(table.name) ?? true);
  const schemas =
    options.tables === undefined
      ? facts.schemas.map(quoted)
      : [...new Set(chosen.map((table) => quoted(table.schema)))];
  const names = chosen.map((table) => table.name);
  return [
    ...roleStatements(facts, options),
    `GRANT CONNECT, TEMPORARY ON DATABASE ${quoted(facts.database)} TO ${service}`,
    ...(schemas.length > 0 ? [`GRANT USAGE ON SCHEMA ${schemas.join(', ')} TO ${both}`] : []),
    ...(options.tables === undefined
      ? schemas.map((schema) => `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${both}`)
      : names.length > 0
        ? [`GRANT SELECT ON ${names.join(', ')} TO ${both}`]
        : []),
    ...publicationStatements(facts, options.publication, chosen),
    ...(options.eventTrigger === true ? EVENT_TRIGGER : []),
  ];
}

/** The two roles, where they are missing, and the service role's way into the client role. */
export function roleStatements(
  facts: Pick<Facts, 'rdsReplicationRole'>,
  options: Pick<GrantsOptions, 'serviceRole' | 'clientRole'>,
): string[] {
  const service = quoted(options.serviceRole);
  const rds = facts.rdsReplicationRole;
  return [
    createRole(options.serviceRole, rds ? 'LOGIN NOINHERIT' : 'LOGIN REPLICATION NOINHERIT'),
    ...(rds ? [`GRANT rds_replication TO ${service}`] : []),
    createRole(options.clientRole, 'NOLOGIN'),
    ...(service === quoted(options.clientRole) ? [] : [`GRANT ${quoted(options.clientRole)} TO ${service}`]),
  ];
}

/** Creates the publication, or adds the tables that it lacks. */
export function publicationStatements(
  facts: Pick<Facts, 'publication'>,
  publication: string,
  tables: readonly TableFacts[],
): string[] {
  const name = quoted(publication);
  const wanted = tables.filter((table) => isStreamed(table) && !table.published && isPublishable(table));
  const identities = wanted.flatMap((table) =>
    table.withoutIdentity.map((leaf) => `ALTER TABLE ${leaf} REPLICA IDENTITY FULL`),
  );
  const list = wanted.map((table) => table.name).join(', ');
  if (facts.publication === null) {
    return [
      ...identities,
      list === '' ? `CREATE PUBLICATION ${name}` : `CREATE PUBLICATION ${name} FOR TABLE ${list}`,
    ];
  }
  return list === '' || facts.publication.allTables
    ? []
    : [...identities, `ALTER PUBLICATION ${name} ADD TABLE ${list}`];
}

/** NOTHING was somebody's decision: it is not overruled, and such a table could not be updated once published. */
export function isPublishable(table: TableFacts): boolean {
  return table.identity !== 'nothing';
}

function createRole(name: string, attributes: string): string {
  const literal = `'${name.replaceAll("'", "''")}'`;
  return [
    'DO $$ BEGIN',
    `  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal}) THEN`,
    `    CREATE ROLE ${quoted(name)} ${attributes};`,
    '  END IF;',
    'END $$',
  ].join('\n');
}

/** The statements as a script that explains itself. */
export function grantScript(facts: GrantsFacts, options: GrantsOptions): string {
  const left = facts.tables.filter((table) => isStreamed(table) && !table.published && !isPublishable(table));
  return [
    `-- The least rights for Sluice on database ${quoted(facts.database)}. Run as the owner of the tables.`,
    '-- Creating a role with REPLICATION takes a superuser, or the role that your provider has for it.',
    ...grantStatements(facts, options).map((statement) => `${statement};`),
    `-- Then give the service role a password: \\password ${quoted(options.serviceRole)}`,
    ...left.map(
      (table) => `-- Left out, because REPLICA IDENTITY NOTHING would make its UPDATEs fail: ${table.name}`,
    ),
    '',
  ].join('\n');
}

/** Event triggers take a superuser; the function runs as whoever changes the schema and needs no right. */
const EVENT_TRIGGER: readonly string[] = [
  'CREATE SCHEMA IF NOT EXISTS sluice',
  'GRANT USAGE ON SCHEMA sluice TO PUBLIC',
  `CREATE OR REPLACE FUNCTION sluice.tell_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_logical_emit_message(true, 'sluice.ddl', coalesce((SELECT string_agg(DISTINCT objid::text, ',')
    FROM pg_event_trigger_ddl_commands() WHERE classid = 'pg_catalog.pg_class'::regclass), ''));
END $$`,
  'DROP EVENT TRIGGER IF EXISTS sluice_ddl',
  'CREATE EVENT TRIGGER sluice_ddl ON ddl_command_end EXECUTE FUNCTION sluice.tell_ddl()',
];
