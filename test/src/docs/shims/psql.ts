import { readFileSync } from 'node:fs';
import pg from 'pg';

// As much of `psql` as the pages use, for machines that have none: a URL, and `-f FILE` or the statements on stdin.

const [url, option, file, ...more] = process.argv.slice(2);
if (url === undefined || more.length > 0 || (option !== undefined && option !== '-f')) {
  throw new Error(`not a call that the pages make: psql ${process.argv.slice(2).join(' ')}`);
}
const statements = readFileSync(option === undefined ? 0 : String(file), 'utf8');
if (statements.trim() === '') throw new Error('nothing was given to psql');
const client = new pg.Client(url);
await client.connect();
try {
  await client.query(statements);
} finally {
  await client.end();
}
