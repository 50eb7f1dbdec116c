import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { statementsOf } from './psql-script.js';
import type { Replayed } from './replayed.js';

// Postgres's own regression tests: `src/test/regress` of its source. They make their tables as they go and drop them;
// here nothing is dropped and nothing is temporary, so that all that a file asks is asked of what it leaves.

const SETUP = 'test_setup.sql';
/** Transactions, roles, rights taken away, what is said to a session, to the whole server, or to tables that are no more. */
const LEFT_OUT =
  /^(?:begin|start|commit|end|abort|rollback|savepoint|release|prepare|execute|deallocate|declare|fetch|move|close|explain|drop|set\s+(?:local\s+)?(?:role|session)|reset|alter\s+system|create\s+(?:tablespace|database|role|user|group|subscription|publication|event)|alter\s+(?:role|user|database)|listen|notify|lock|checkpoint|discard|show|load|revoke)\b/i;
/** These would change what the other queries of the script mean. */
const MEANINGS = /^create\s+(?:operator|cast)\b/i;
const ASKS = /^[\s(]*(?:select|with|values|table)\b/i;

/** @param folder `src/test/regress` @param only these files, by their names without `.sql`; all when empty */
export async function regressionScripts(
  folder: string,
  only: readonly string[],
): Promise<readonly Replayed[]> {
  const files = (await readdir(join(folder, 'sql'))).filter(
    (name) => name.endsWith('.sql') && name !== SETUP,
  );
  const read = async (file: string): Promise<readonly string[]> =>
    statementsOf(await readFile(join(folder, 'sql', file), 'utf8'), new Map([['abs_srcdir', folder]]));
  const setup = await read(SETUP);
  const scripts: Replayed[] = [];
  for (const file of files.toSorted()) {
    const name = file.replace('.sql', '');
    if (only.length > 0 && !only.includes(name)) continue;
    const statements = await read(file);
    scripts.push({
      name,
      statements: [...setup, ...withoutTakenBack(statements)]
        .filter((one) => !LEFT_OUT.test(one) && !isAsked(one))
        .map(lasting),
      queries: statements.filter(isAsked).map((sql) => ({ sql, params: [] })),
      isOurs: false,
    });
  }
  return scripts;
}

/** What a script rolls back is made nevertheless, and asked for, but for operators and casts. */
function withoutTakenBack(statements: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let begun: number | null = null;
  for (const statement of statements) {
    if (/^(?:begin|start)\b/i.test(statement)) begun = kept.length;
    else if (/^(?:commit|end)\b/i.test(statement)) begun = null;
    else if (/^(?:rollback|abort)(?!\s+to\b|\s+prepared\b)/i.test(statement) && begun !== null) {
      kept.push(...kept.splice(begun).filter((one) => !MEANINGS.test(one)));
      begun = null;
    } else kept.push(statement);
  }
  return kept;
}

function isAsked(statement: string): boolean {
  return (
    ASKS.test(statement) && !/\binto\s+(?:temp|table|[a-z_])/i.test(statement.replaceAll(/'[^']*'/g, "''"))
  );
}

function lasting(statement: string): string {
  return statement.replace(/^(create\s+(?:or\s+replace\s+)?)(?:local\s+|global\s+)?temp(?:orary)?\s+/i, '$1');
}
