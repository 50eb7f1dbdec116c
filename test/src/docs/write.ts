import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { documentedCodes, errorsPage } from './errors-page.js';
import { withKeysTable } from './keys-table.js';
import { sqlPage } from './sql-page.js';

/** `npm run docs`: writes what is derived from code. */
const root = process.cwd();
const operations = join(root, 'docs', 'operations.md');
await writeFile(join(root, 'docs', 'errors.md'), errorsPage(await documentedCodes(root)));
await writeFile(operations, withKeysTable(await readFile(operations, 'utf8')));
await writeFile(join(root, 'docs', 'sql.md'), sqlPage());
