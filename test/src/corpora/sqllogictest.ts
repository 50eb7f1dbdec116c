/** What a file of sqllogictest asks and does. */
export interface TestFile {
  readonly statements: readonly string[];
  readonly queries: readonly string[];
}

const DIALECT = 'postgresql';

/** Reads the records of a file that are for Postgres; the results that it expects are not looked at. */
export function readTestFile(text: string): TestFile {
  const statements: string[] = [];
  const queries: string[] = [];
  for (const record of text.replaceAll('\r', '').split(/\n{2,}/)) {
    const lines = record.split('\n').filter((line) => !line.startsWith('#') && line !== '');
    let isSkipped = false;
    while (/^(?:skipif|onlyif)\b/.test(lines[0] ?? '')) {
      const [word, dialect] = (lines.shift() ?? '').split(/\s+/);
      if ((dialect === DIALECT) === (word === 'skipif')) isSkipped = true;
    }
    const head = lines.shift() ?? '';
    const result = lines.indexOf('----');
    const sql = lines.slice(0, result < 0 ? lines.length : result).join('\n');
    if (isSkipped || sql === '') continue;
    if (head.startsWith('statement ok')) statements.push(sql);
    else if (head.startsWith('query')) queries.push(sql);
  }
  return { statements, queries };
}
