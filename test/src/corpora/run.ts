import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { startTestPostgres } from '@sluice/server/testing/postgres';
import { Random } from '../kit/random.js';
import { subscriptionsOf, type Corpus } from './corpus.js';
import { FILM_RENTAL } from './film-rental/film-rental.js';
import { localeArguments, makeLocale } from './locale.js';
import { MUSIC_SHOP } from './music-shop/music-shop.js';
import { statementsOf } from './psql-script.js';
import { regressionScripts } from './regression.js';
import { replay, type Replayed } from './replayed.js';
import { readTestFile } from './sqllogictest.js';
import { Tally } from './tally.js';

const USAGE = `npm run corpora -- [options] [what]
Follows the SQL of others: subscribes to it, changes the data underneath, compares with Postgres.
Of a script that is not ours those SELECTs are replayable that read a table or view of the script (beyond the catalogs), do
not fail on the tables as the whole script leaves them, end within 2 s, give at most 5,000 rows, and the same ones when
asked twice. Those may be live that call nothing volatile or not allowed, and read no relation that cannot be replicated.
  what  music-shop, film-rental       (default: both; they are here)
        regress FOLDER [FILE…]        Postgres's regression tests: src/test/regress of its source
                                      (apt-get source postgresql-15, or github.com/postgres/postgres)
        sqllogictest FOLDER           all .test files below it (github.com/gregrahn/sqllogictest)
        smith FILE                    SELECTs on the tables of film-rental, each ended by a semicolon, as made by
                                      sqlsmith --dry-run --exclude-catalog --target=… (Debian: sqlsmith);
                                      --tables prints the statements that make the tables
  --seed S          repeats a run (default: random)
  --rounds N        how often all is compared (default 5)
  --queries N       of one file, drawn by lot (default 1000)
  --seconds N       for one file (default 120)
  --no-keys         leaves tables without a key as they are
  --each            lists every query with its gear and reason
  --locale L        of the server, for example en_US.UTF-8, or icu:de-DE for ICU; one of the C library that the system
                    lacks is made, where need be from Debian's package locales
  --postgres MAJOR  14 to 18
  --report FILE     the same in a file`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    rounds: { type: 'string', default: '5' },
    queries: { type: 'string', default: '1000' },
    'no-keys': { type: 'boolean', default: false },
    each: { type: 'boolean', default: false },
    tables: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '120' },
    locale: { type: 'string' },
    postgres: { type: 'string' },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else if (values.tables) console.log([FILM_RENTAL.schema, ...FILM_RENTAL.rows].join(';\n'));
// What is not followed in time is not waited for.
else process.exit(await main(await scriptsOf(positionals)));

async function main(scripts: readonly Replayed[]): Promise<number> {
  console.log(`seed ${values.seed}`);
  const locales = values.locale === undefined ? null : await makeLocale(values.locale);
  const server = await startTestPostgres({
    ...(values.postgres === undefined ? {} : { major: Number(values.postgres) }),
    ...(values.locale === undefined ? {} : { initdb: localeArguments(values.locale) }),
  });
  const tally = new Tally();
  /** A line about each script, as it was made and followed. */
  const made: string[] = [];
  try {
    for (const script of scripts) {
      const followed = replay(script, {
        server,
        random: new Random(`${values.seed} ${script.name}`),
        rounds: Number(values.rounds),
        queriesMax: Number(values.queries),
        keys: !values['no-keys'],
        tally,
      });
      const line = await inTime(followed, script.name).catch(
        (error: unknown) => `${script.name}: NOT FOLLOWED ${String(error)}`,
      );
      console.log(`${line} | ${tally.lines({ each: false })[0] ?? ''}`);
      made.push(line);
    }
    const lines = tally.lines({ each: values.each });
    if (values.report !== undefined) await writeFile(values.report, `${[...lines, ...made].join('\n')}\n`);
    for (const line of lines) console.log(line);
    return tally.wrong === 0 ? 0 : 1;
  } finally {
    await server.destroy();
    if (locales !== null) await rm(locales, { recursive: true, force: true });
  }
}

function inTime(followed: Promise<string>, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(`${name}: NOT FOLLOWED in time`), 1000 * Number(values.seconds));
    followed.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function scriptsOf([what, path, ...files]: readonly string[]): Promise<readonly Replayed[]> {
  if (what === undefined) return [shipped('music-shop', MUSIC_SHOP), shipped('film-rental', FILM_RENTAL)];
  if (what === 'music-shop') return [shipped(what, MUSIC_SHOP)];
  if (what === 'film-rental') return [shipped(what, FILM_RENTAL)];
  if (path === undefined) throw new Error(USAGE);
  if (what === 'regress') return regressionScripts(path, files);
  if (what === 'smith') {
    const queries = statementsOf(await readFile(path, 'utf8'), new Map()).map((sql) => ({ sql, params: [] }));
    return [{ ...shipped('film-rental', FILM_RENTAL), name: what, queries, isOurs: false }];
  }
  if (what !== 'sqllogictest') throw new Error(USAGE);
  return Promise.all((await testFiles(path)).map((file) => logicTest(path, file)));
}

function shipped(name: string, { schema, rows, queries }: Corpus): Replayed {
  return { name, statements: [schema, ...rows], queries: subscriptionsOf(queries), isOurs: true };
}

async function logicTest(folder: string, file: string): Promise<Replayed> {
  const { statements, queries } = readTestFile(await readFile(file, 'utf8'));
  return {
    name: relative(folder, file),
    statements,
    queries: queries.map((sql) => ({ sql, params: [] })),
    isOurs: false,
  };
}

async function testFiles(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => name.endsWith('.test'))
    .toSorted()
    .map((name) => join(path, name));
}
