import { randomUUID } from 'node:crypto';
import { sluiceError } from './errors.js';
import { TOKEN_PREFIX } from './views/marks.js';

/**
 * Marks the position of a transaction of the application (C26): a logical message that commits and rolls back with
 * it. What is returned goes to the client, whose `reached(token)` resolves when it shows that transaction.
 *
 * @param transaction a handle inside the transaction, with one of the methods named below
 * @throws SluiceError `token_handle_unknown`; what the handle throws
 */
export async function commitToken(transaction: unknown): Promise<string> {
  const id = randomUUID();
  // Both are ours and have no character that a literal must escape; parameters are spelt differently by each handle.
  const sql = `SELECT pg_logical_emit_message(true, '${TOKEN_PREFIX}', '${id}')`;
  await runner(transaction)(sql);
  return `token-${id}`;
}

type RunSql = (sql: string) => unknown;

function runner(handle: unknown): RunSql {
  if ((typeof handle === 'object' && handle !== null) || typeof handle === 'function') {
    for (const [method, run] of HANDLES) {
      const found: unknown = Reflect.get(handle, method);
      if (typeof found === 'function')
        return (sql) => run((argument) => Reflect.apply(found, handle, [argument]) as unknown, sql);
    }
  }
  throw sluiceError('token_handle_unknown');
}

/**
 * By the method that a handle has, the most telling first: Kysely (a compiled query), postgres.js, Prisma, Drizzle
 * (whose `query` is a property of another kind), and the client or pool client of pg.
 */
const HANDLES: readonly (readonly [
  method: string,
  run: (call: (argument: unknown) => unknown, sql: string) => unknown,
])[] = [
  ['executeQuery', (call, sql) => call(compiled(sql))],
  ['unsafe', (call, sql) => call(sql)],
  ['$executeRawUnsafe', (call, sql) => call(sql)],
  ['execute', (call, sql) => call(sql)],
  ['query', (call, sql) => call(sql)],
];

/** What Kysely's `CompiledQuery.raw` makes. */
function compiled(sql: string): object {
  return {
    sql,
    parameters: [],
    query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
    queryId: { queryId: randomUUID() },
  };
}
