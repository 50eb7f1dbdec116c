import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { freePort } from '@sluice/server/embedded/embedded-postgres';
import { within } from '@sluice/server/testing/deadline';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programsOf, runProgram } from './runnable.js';

// Every block of docs/operations.md does what the page says, in the page's order, on one database.

const require = createRequire(import.meta.url);
const root = join(dirname(require.resolve('@sluice/server')), '..', '..', '..');
const page = await readFile(join(root, 'docs', 'operations.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w+).*\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

let database: TestDatabase;
let commands: string;

beforeAll(async () => {
  database = await sharedDatabase();
  await database.sql('CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text)');
  commands = await mkdtemp(join(tmpdir(), 'sluice-commands-'));
  await command(
    'sluice',
    `await import(${JSON.stringify(join(root, 'packages', 'server', 'dist', 'cli', 'bin.js'))});`,
  );
  // psql is not everywhere where the tests run: what the page needs of it is to run a script.
  await command(
    'psql',
    `import pg from ${JSON.stringify(require.resolve('pg').replace('lib/index.js', 'esm/index.mjs'))};
     const client = new pg.Client(process.argv[2]);
     let script = '';
     for await (const chunk of process.stdin) script += chunk;
     await client.connect();
     await client.query(script);
     await client.end();`,
  );
});
afterAll(() => database.drop());

async function command(name: string, code: string): Promise<void> {
  const file = join(commands, `${name}.mjs`);
  await writeFile(file, code);
  await writeFile(join(commands, name), `#!/bin/sh\nexec "${process.execPath}" "${file}" "$@"\n`);
  await chmod(join(commands, name), 0o755);
}

/** Runs a block in a shell; one that serves is stopped once it is ready. @returns what it printed */
async function shell(text: string): Promise<string> {
  const child = spawn('sh', ['-ec', `exec_or_run() { ${text}\n}; exec_or_run`], {
    cwd: commands,
    detached: true,
    env: {
      ...process.env,
      PATH: `${commands}${delimiter}${process.env['PATH'] ?? ''}`,
      OWNER_URL: database.adminUrl,
      DATABASE_URL: database.url,
      POOLER_URL: database.url,
      SLUICE_PORT: '0',
      SLUICE_GRACE_MS: '0',
    },
  });
  let printed = '';
  let told = false; // once: what it prints in ending may be read when it has gone
  const stopWhenReady = (chunk: Buffer): void => {
    printed += chunk.toString();
    if (told || !/^sluice ready /m.test(printed) || child.pid === undefined) return;
    told = true;
    process.kill(-child.pid, 'SIGTERM');
  };
  child.stdout.on('data', stopWhenReady);
  child.stderr.on('data', stopWhenReady);
  await within(() => `${text} ends; it printed ${printed}`, once(child, 'close'));
  return printed;
}

test('the blocks are those that are run here', () => {
  expect(blocks.map(({ language }) => language)).toEqual(['bash', 'bash', 'sql', 'bash', 'ts', 'bash']);
});

test('check says what is missing, the grants give it, new tables join, start serves', async () => {
  const [check, grants, table, start, , pooler] = blocks.map(({ text }) => text);
  expect(await shell(check ?? '')).toContain('[publication_missing]');
  expect(await shell(grants ?? '')).toBe('');
  expect(await shell(check ?? '')).toContain('This database can be used.');
  await database.sql('CREATE TABLE comment (id int PRIMARY KEY)');
  expect(await shell(check ?? '')).toContain('[tables_not_published]');
  await database.sql(table ?? '');
  expect(await shell(check ?? '')).not.toContain('[tables_not_published]');
  expect(await shell((start ?? '').replace('--port 4400', ''))).toMatch(/^sluice ready http/m);
  expect(await shell(pooler ?? '')).toMatch(/^sluice ready http/m);
});

test('in an application: its own routes go on, ours are there', async () => {
  const program = programsOf(page)[0] ?? expect.fail('the page has a program');
  const port = String(await freePort());
  const code = `${program.code}
    for (const path of ['/sluice/readyz', '/']) {
      const response = await fetch('http://127.0.0.1:8080' + path);
      console.log(response.status, await response.text());
    }
    await sluice.stop();
    server.close();`;
  const printed = await runProgram(
    { ...program, code },
    { replace: { '8080': port }, env: { DATABASE_URL: database.url } },
  );
  expect(printed).toBe('200 {"ok":true}\n200 the application\n');
});
