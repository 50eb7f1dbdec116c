import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { withClient } from '@sluice/server/testing/postgres';
import { freePort } from '@sluice/server/embedded/embedded-postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isOfApplication } from '../quickstart/apply-blocks.js';
import { blocksOf, type Block } from './blocks.js';
import { RunningProgram } from './runnable.js';
import { Shell } from './shell.js';

// The page is walked through as a reader would: every block in its order, servers and programs going on until
// the next of their kind begins.

const root = join(dirname(createRequire(import.meta.url).resolve('@sluice/client')), '..', '..', '..');
const ISSUES = `
  CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text NOT NULL, rank int NOT NULL);
  INSERT INTO issue VALUES (1, 7, 'First', 1), (2, 7, 'Second', 2)`;

const WALK_MS = 5 * PATIENCE_MS;

test(
  'README.md does what it says',
  async () => {
    const database = await sharedDatabase();
    onTestFinished(() => database.drop());
    await database.sql(ISSUES);
    const walk = await Walk.begin({ ownerUrl: database.adminUrl, serviceUrl: database.url });
    await walk.through('README.md');
  },
  WALK_MS,
);

interface Urls {
  /** Of the database of the reader. */
  readonly ownerUrl: string;
  readonly serviceUrl: string;
}

class Walk {
  readonly #urls: Urls;
  readonly #shell: Shell;
  readonly #appPort: number;
  /** Where the statements of the page go: to the Postgres of `sluice dev` while that runs. */
  #ownerUrl: string;
  #serving = false;
  #program: RunningProgram | null = null;
  /** The one that goes on, if not this. */
  #staying: RunningProgram | null = null;

  private constructor(urls: Urls, shell: Shell, appPort: number) {
    this.#urls = urls;
    this.#shell = shell;
    this.#appPort = appPort;
    this.#ownerUrl = urls.ownerUrl;
  }

  static async begin(urls: Urls): Promise<Walk> {
    const walk = new Walk(urls, await Shell.open(), await freePort());
    onTestFinished(() => walk.#end());
    return walk;
  }

  async through(page: string): Promise<void> {
    const blocks = blocksOf(await readFile(join(root, page), 'utf8'));
    expect(blocks.length).toBeGreaterThan(4);
    for (const block of blocks) {
      try {
        await this.#step(block);
      } catch (error) {
        throw new Error(`${page}, line ${block.line}`, { cause: error });
      }
    }
  }

  async #step(block: Block): Promise<void> {
    const [language] = block.info;
    if (isOfApplication(block)) return;
    if (block.info.includes('output')) await this.#program?.prints(`${block.text}\n`);
    else if (block.info.includes('runnable')) await this.#run(block);
    else if (language === 'sql') await this.#statements(block.text);
    else await this.#command(block.text);
  }

  /** Variables are set where the block uses them: `sluice dev` without one brings its own Postgres. */
  async #command(lines: string): Promise<void> {
    const serves = /\bsluice (start|dev)\b/.exec(lines)?.[1];
    if (serves !== undefined) await this.#shell.stopServers();
    const env = {
      ...(lines.includes('$OWNER_URL') ? { OWNER_URL: this.#urls.ownerUrl } : {}),
      ...(lines.includes('$DATABASE_URL') ? { DATABASE_URL: this.#urls.serviceUrl } : {}),
    };
    await this.#shell.run(lines, env);
    if (serves === undefined) return;
    this.#serving = true;
    const own = /psql (postgres:\S+)/.exec(await this.#shell.log())?.[1];
    this.#ownerUrl = serves === 'dev' && own !== undefined ? own : this.#urls.ownerUrl;
  }

  /** What a statement creates is live once the server has noticed it: a reader is slower than that. */
  async #statements(sql: string): Promise<void> {
    await withClient(this.#ownerUrl, (client) => client.query(sql));
    const created = /CREATE TABLE (\w+)/.exec(sql)?.[1];
    if (created === undefined || !this.#serving) return;
    const subscribe = { method: 'POST', body: JSON.stringify({ sql: `SELECT * FROM ${created}` }) };
    const url = `http://127.0.0.1:${this.#shell.port}/sluice/subscribe`;
    const headers = { 'content-type': 'application/json' };
    await vi.waitFor(
      async () =>
        expect(await (await fetch(url, { ...subscribe, headers })).text()).toContain('subscription_id'),
      { timeout: PATIENCE_MS },
    );
  }

  async #run({ line, info, text }: Block): Promise<void> {
    const stays = info.includes('stays');
    if (stays) await this.#staying?.stop();
    this.#program = await RunningProgram.start(
      { line, language: info[0] === 'ts' ? 'ts' : 'js', code: text, output: null },
      {
        env: { DATABASE_URL: this.#urls.serviceUrl },
        replace: {
          'http://127.0.0.1:4400': `http://127.0.0.1:${this.#shell.port}`,
          '3000': String(this.#appPort),
        },
        timeoutMs: WALK_MS, // it goes on while the page does
      },
    );
    if (stays) this.#staying = this.#program;
    else await this.#program.ended;
  }

  async #end(): Promise<void> {
    await this.#staying?.stop();
    await this.#shell.close();
  }
}
