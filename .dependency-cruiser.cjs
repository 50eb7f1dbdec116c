// The layers of the house: DESIGN "Packages". A line crossed the wrong way fails the build.
const test = '\\.test\\.ts$';
const stage = (from, to) => ({
  name: `server-${from}-is-left-of-${to.replaceAll('|', '-')}`,
  severity: 'error',
  comment: 'A step imports only from steps to its left.',
  from: { path: `^packages/server/src/${from}/`, pathNot: test },
  to: { path: `^packages/server/src/(${to})/` },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^packages/core/', pathNot: test },
      to: { pathNot: '^packages/core/' },
    },
    {
      name: 'server-imports-core-only',
      severity: 'error',
      from: { path: '^packages/server/' },
      to: { path: '^packages/(?!core|server)' },
    },
    {
      name: 'client-imports-core-only',
      severity: 'error',
      from: { path: '^packages/client/', pathNot: test },
      to: { path: '^packages/(?!core|client)|^node:' },
    },
    {
      name: 'react-imports-the-client-only',
      severity: 'error',
      from: { path: '^packages/react/', pathNot: test },
      to: { path: '^packages/(?!react|client/(src|dist)/index)|^node:' },
    },
    {
      name: 'packages-do-not-import-tests',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'examples-use-published-names',
      severity: 'error',
      comment:
        'An application imports the packages, not their files. (Its demonstration starts a Postgres, too.)',
      from: { path: '^examples/[a-z]+/src/(server|page|shared)/' },
      to: { path: '^packages/', pathNot: '^packages/(server|client|react)/dist/index\\.' },
    },
    {
      name: 'example-pages-import-types-of-the-server',
      severity: 'error',
      from: { path: '^examples/[a-z]+/src/page/' },
      to: { path: '^examples/[a-z]+/src/(server|demo)/', dependencyTypesNot: ['type-only'] },
    },
    stage('source', 'registry|analysis|planner|views|sessions|transport|auth|cli'),
    stage('registry', 'analysis|planner|views|sessions|transport|auth|cli'),
    stage('analysis', 'planner|views|sessions|transport|auth|cli'),
    stage('planner', 'views|sessions|transport|auth|cli'),
    stage('views', 'sessions|transport|auth|cli'),
    stage('resolving', 'source|registry|analysis|planner|views|sessions|transport|cli'),
    stage('sessions', 'transport|cli'),
    stage('transport', 'cli'),
    {
      name: 'sessions-know-no-source',
      severity: 'error',
      comment: 'Between views and sessions only messages pass.',
      from: { path: '^packages/server/src/(sessions|transport)/', pathNot: test },
      to: { path: '^packages/server/src/(source|analysis|planner|registry)/' },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { path: '^packages/[a-z]+/src/', pathNot: [test, '/testing/'] },
      to: { path: '^packages/[a-z]+/src/testing/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
