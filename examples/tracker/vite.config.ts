import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const QUERIES = fileURLToPath(new URL('src/server/queries.ts', import.meta.url));
const ID = 'virtual:query-sources';

/** The source of each named query, as it is written on the server, for the dock to show. */
function querySources(): Plugin {
  return {
    name: 'query-sources',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    async load(id) {
      if (id !== `\0${ID}`) return undefined;
      this.addWatchFile(QUERIES);
      return `export default ${JSON.stringify(sourcesIn(await readFile(QUERIES, 'utf8')))}`;
    },
  };
}

/** The members of `defineQueries({ … })`: by their indentation, which the formatter keeps. */
function sourcesIn(code: string): Record<string, string> {
  const members = code.split('defineQueries({\n')[1]?.split('\n});')[0] ?? '';
  const sources = members.split(/\n\n(?= {2}\w)/).map((member) => member.replace(/^ {2}/gm, '').trim());
  if (sources.length < 2) throw new Error('no queries found in src/server/queries.ts');
  return Object.fromEntries(sources.map((source) => [source.slice(0, source.indexOf(':')), source]));
}

export default defineConfig({
  plugins: [react(), querySources()],
  build: { outDir: 'dist/page', emptyOutDir: true, target: 'es2022' },
});
