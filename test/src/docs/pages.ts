import { blocksOf, type Block } from './blocks.js';

/** What kinds of fenced blocks each page may have: for each of them a test takes the blocks of that page. */
export const PAGES: Readonly<Record<string, readonly RegExp[]>> = {
  // readme.pg.test.ts; quickstart.browser.test.ts
  'README.md': [
    /^sh( application)?$/,
    /^(ts|diff) file=\S+$/,
    /^sql$/,
    /^(js|ts) runnable( stays)?$/,
    /^text output$/,
  ],
  // operations.pg.test.ts
  'docs/operations.md': [/^bash$/, /^sql$/, /^ts runnable$/],
  'docs/operations-source.md': [],
  // client.pg.test.ts
  'docs/client.md': [/^ts runnable( continued)?$/, /^text output$/],
  // test/src/react/page.browser.test.ts
  'docs/react.md': [/^tsx runnable( continued)?$/],
  // queries.pg.test.ts; test/src/next (npm run test:next)
  'docs/queries.md': [
    /^ts runnable( continued)?$/,
    /^text output$/,
    /^python excerpt$/,
    /^(ts|tsx|diff) file=\S+$/,
  ],
  // packages/server/src/transport/protocol.test.ts; pages.test.ts for event streams
  'docs/protocol.md': [/^json( fields| edits| explanation)?$/, /^text$/, /^text events$/],
  'docs/architecture.md': [/^text$/],
  'docs/chunks.md': [],
  'docs/dependencies.md': [],
  'docs/errors.md': [],
  'docs/functions.md': [],
  // sql.pg.test.ts
  'docs/sql.md': [/^sql$/],
};

/** The blocks of a page that no test would take: of another kind, or an output of nothing. */
export function untested(kinds: readonly RegExp[], markdown: string): readonly Block[] {
  const blocks = blocksOf(markdown);
  const runs = blocks.findIndex(({ info }) => info.includes('runnable'));
  return blocks.filter(
    ({ info }, index) =>
      !kinds.some((kind) => kind.test(info.join(' '))) ||
      (info.includes('output') && (runs < 0 || index < runs)),
  );
}
