import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

const folder = new URL('./compat/react-18/node_modules/', import.meta.url).pathname;

/** The tests of the hooks with the oldest React that they support; what is new in 19 (`Activity`) is not there. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^react$/, replacement: `${folder}react/index.js` },
      { find: /^react\/jsx-(dev-)?runtime$/, replacement: `${folder}react/jsx-$1runtime.js` },
      { find: /^react-dom$/, replacement: `${folder}react-dom/index.js` },
      { find: /^react-dom\/client$/, replacement: `${folder}react-dom/client.js` },
      { find: /^react-dom\/server$/, replacement: `${folder}react-dom/server.node.js` },
    ],
  },
  test: {
    ...base.test,
    include: ['test/src/react/*.test.tsx'],
    exclude: ['test/src/react/activity.pg.test.tsx'],
    server: { deps: { inline: [/@sluice\/react/] } },
  },
});
