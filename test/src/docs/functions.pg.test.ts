import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { functionsPage, SPELLINGS_SQL, unspelled, type Spelling } from './functions-page.js';

test('docs/functions.md lists what the engine reproduces (SLUICE_WRITE_DOCS=1 writes it, on Postgres 18)', async () => {
  const database = await sharedDatabase();
  try {
    const { rows } = await database.sql(SPELLINGS_SQL);
    const spellings = rows as readonly Spelling[];
    const path = join(process.cwd(), 'docs', 'functions.md');
    const page = functionsPage(spellings);
    if (process.env['SLUICE_WRITE_DOCS'] === '1') await writeFile(path, page);
    expect(await readFile(path, 'utf8')).toBe(page);
    expect(unspelled(spellings)).toEqual([]);
  } finally {
    await database.drop();
  }
});
