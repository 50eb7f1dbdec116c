/** What the made-up company works on. */
export interface TeamWords {
  readonly key: string;
  readonly name: string;
  readonly color: string;
  readonly projects: readonly ProjectWords[];
}

export interface ProjectWords {
  readonly name: string;
  readonly color: string;
  /** Parts of it that an issue may be about. */
  readonly parts: readonly string[];
}

export const TEAMS: readonly TeamWords[] = [
  {
    key: 'WEB',
    name: 'Web',
    color: '#5e6ad2',
    projects: [
      {
        name: 'Dashboard redesign',
        color: '#5e6ad2',
        parts: ['overview page', 'date picker', 'chart legend', 'empty state', 'widget grid', 'export menu', 'side panel', 'activity feed'],
      },
      {
        name: 'Checkout',
        color: '#d9730d',
        parts: ['address form', 'coupon field', 'order summary', 'payment step', 'tax estimate', 'guest checkout', 'receipt email', 'saved cards'],
      },
      {
        name: 'Design system',
        color: '#0f9d8a',
        parts: ['tooltip', 'combobox', 'dialog', 'focus ring', 'button variants', 'color tokens', 'data table', 'toast stack'],
      },
      {
        name: 'Marketing site',
        color: '#c2528b',
        parts: ['pricing page', 'hero section', 'cookie banner', 'changelog', 'customer stories', 'sitemap', 'signup form', 'careers page'],
      },
    ],
  },
  {
    key: 'MOB',
    name: 'Mobile',
    color: '#d9730d',
    projects: [
      {
        name: 'iOS app',
        color: '#3b82c4',
        parts: ['onboarding', 'share sheet', 'home widget', 'push permission prompt', 'photo picker', 'Face ID unlock', 'tab bar', 'background refresh'],
      },
      {
        name: 'Android app',
        color: '#3f9142',
        parts: ['back gesture', 'notification channel', 'deep link handler', 'splash screen', 'foldable layout', 'Play billing', 'camera preview', 'work profile'],
      },
      {
        name: 'Offline mode',
        color: '#8a63d2',
        parts: ['conflict dialog', 'sync queue', 'attachment cache', 'draft storage', 'retry banner', 'storage quota', 'merge rules', 'clock skew check'],
      },
      {
        name: 'Mobile performance',
        color: '#c9a227',
        parts: ['cold start', 'list scrolling', 'image decoder', 'memory use', 'bundle size', 'animation frames', 'battery use', 'network batching'],
      },
    ],
  },
  {
    key: 'API',
    name: 'Platform',
    color: '#0f9d8a',
    projects: [
      {
        name: 'Public API v2',
        color: '#0f9d8a',
        parts: ['cursor pagination', 'rate limiter', 'error format', 'OpenAPI description', 'idempotency keys', 'bulk endpoint', 'field selection', 'API keys page'],
      },
      {
        name: 'Webhooks',
        color: '#b5533c',
        parts: ['delivery log', 'signature check', 'retry schedule', 'event filter', 'payload preview', 'endpoint test', 'secret rotation', 'dead letter list'],
      },
      {
        name: 'Single sign-on',
        color: '#5e6ad2',
        parts: ['SAML metadata', 'SCIM sync', 'session timeout', 'domain verification', 'role mapping', 'login redirect', 'audit entry', 'backup codes'],
      },
      {
        name: 'Billing',
        color: '#d9730d',
        parts: ['invoice PDF', 'proration', 'usage meter', 'dunning email', 'plan switch', 'VAT number check', 'credit notes', 'seat count'],
      },
    ],
  },
  {
    key: 'DATA',
    name: 'Data',
    color: '#8a63d2',
    projects: [
      {
        name: 'Warehouse',
        color: '#8a63d2',
        parts: ['nightly load', 'partition pruning', 'orders model', 'schema drift alert', 'late events', 'backfill job', 'column lineage', 'cost report'],
      },
      {
        name: 'Search',
        color: '#3b82c4',
        parts: ['ranking', 'synonym list', 'typo tolerance', 'index rebuild', 'result highlights', 'facet counts', 'query log', 'language detection'],
      },
      {
        name: 'Reporting',
        color: '#c9a227',
        parts: ['weekly digest', 'CSV export', 'funnel chart', 'saved filters', 'shared link', 'time zones', 'scheduled report', 'cohort table'],
      },
      {
        name: 'Recommendations',
        color: '#c2528b',
        parts: ['cold start model', 'feature store', 'candidate list', 'A/B switch', 'feedback loop', 'diversity rule', 'offline metrics', 'model rollback'],
      },
    ],
  },
  {
    key: 'OPS',
    name: 'Infrastructure',
    color: '#b5533c',
    projects: [
      {
        name: 'Postgres 18 upgrade',
        color: '#3b82c4',
        parts: ['replica promotion', 'extension list', 'statistics import', 'connection pooler', 'rollback plan', 'vacuum settings', 'checksums', 'dump and restore test'],
      },
      {
        name: 'Observability',
        color: '#3f9142',
        parts: ['trace sampling', 'alert routing', 'log retention', 'SLO dashboard', 'cardinality limit', 'on-call handover', 'synthetic checks', 'status page'],
      },
      {
        name: 'CI speed',
        color: '#d9730d',
        parts: ['build cache', 'flaky test report', 'runner image', 'test sharding', 'merge queue', 'artifact upload', 'dependency cache', 'preview deploys'],
      },
      {
        name: 'Cost control',
        color: '#0f9d8a',
        parts: ['idle volumes', 'spot instances', 'egress report', 'bucket lifecycle', 'reserved capacity', 'budget alerts', 'unused snapshots', 'staging schedule'],
      },
    ],
  },
  {
    key: 'GRO',
    name: 'Growth',
    color: '#c2528b',
    projects: [
      {
        name: 'Activation',
        color: '#c2528b',
        parts: ['welcome checklist', 'sample data', 'invite flow', 'first project wizard', 'product tour', 'template gallery', 'trial banner', 'email verification'],
      },
      {
        name: 'Notifications',
        color: '#c9a227',
        parts: ['inbox', 'email grouping', 'mute rules', 'mention parser', 'digest time', 'unsubscribe link', 'Slack message', 'badge count'],
      },
      {
        name: 'Referrals',
        color: '#3f9142',
        parts: ['reward balance', 'share link', 'fraud check', 'invite email', 'landing page', 'credit expiry', 'leaderboard', 'terms page'],
      },
      {
        name: 'Localization',
        color: '#8a63d2',
        parts: ['plural rules', 'right-to-left layout', 'currency format', 'translation memory', 'date format', 'language switch', 'missing keys report', 'German strings'],
      },
    ],
  },
];

/** `{}` is a part of the project. */
export const TITLES: readonly string[] = [
  'Add keyboard shortcuts to the {}',
  'Rework the {} for small screens',
  '{} flickers while it loads',
  '{} loses its state after a refresh',
  'Document how the {} behaves on errors',
  'Remove the feature flag of the {}',
  '{} shows yesterday’s numbers',
  'Make the {} accessible to screen readers',
  'Crash in the {} when the list is empty',
  'Measure how often the {} is used',
  '{} is slow for large workspaces',
  'Let admins switch the {} off',
  'Split the {} into its own module',
  'Write an end-to-end test for the {}',
  '{} ignores the workspace’s time zone',
  'Show a hint when the {} is unavailable',
  'Migrate the {} to the new client',
  'Duplicate entries in the {}',
  '{}: wrong count after an undo',
  'Polish the copy of the {}',
  'Retry the {} when the network comes back',
  'Limit how much the {} loads at once',
  'Permissions of the {} are too broad',
  'Cache the {} between visits',
  '{} does not remember the last choice',
  'Support dark mode in the {}',
  'Investigate timeouts of the {}',
  'Give the {} a loading state',
  'Upgrade the library behind the {}',
  '{} breaks with very long names',
  'Roll the {} out to all customers',
  'Alert when the {} fails',
];

export const SITUATIONS: readonly string[] = [
  'Two customers reported this last week.',
  'It came up in the usability sessions.',
  'Support sees about five tickets a month on this.',
  'We agreed on this in the planning meeting.',
  'It happens only with more than a thousand entries.',
  'Found while testing the release candidate.',
  'This blocks the next milestone.',
  'Nobody is sure since when, the logs go back two months.',
];
export const OBSERVATIONS: readonly string[] = [
  'The {} answers after eight seconds, or not at all.',
  'After switching workspaces the {} still shows the old one.',
  'On a phone the {} covers the primary button.',
  'The {} sends the same request three times.',
  'In Safari the {} jumps when it gets the focus.',
  'When the session has expired the {} fails without a word.',
  'The {} was written before we had the current design tokens.',
  'Our own team avoids the {} and uses the API instead.',
];
export const WISHES: readonly string[] = [
  'It should say what went wrong and offer to try again.',
  'Expected: the same order on every device.',
  'A first version may leave the settings out.',
  'Please keep the old behavior behind a flag for one release.',
  'Done when the p95 is below 300 ms.',
  'Design has a draft, see the shared file.',
  'Check with legal before this is public.',
  'A small step is fine, as long as it is measured.',
];

export const COMMENTS: readonly string[] = [
  'I can reproduce this on staging.',
  'Could you add a screenshot? I see something else.',
  'The cause is in how we merge the defaults. A fix is in review.',
  'Let’s do the small version first.',
  'This also helps with the issue that support raised on Monday.',
  'Moved to the next cycle, we have no capacity this week.',
  'Tested on three devices, looks good.',
  'I would rather not add another setting for this.',
  'Agreed. I’ll pick it up tomorrow.',
  'Rolled back, the error rate went up. Logs are attached to the incident.',
  'Do we have numbers on how many people this affects?',
  'Deployed to ten percent of the workspaces.',
  'The customer confirmed that it works now.',
  'Blocked until the new endpoint is there.',
  'Nice find!',
  'Let’s talk about the wording, I have two proposals.',
];

export const LABELS: readonly { readonly name: string; readonly color: string; readonly weight: number }[] = [
  { name: 'Bug', color: '#d64545', weight: 30 },
  { name: 'Feature', color: '#8a63d2', weight: 22 },
  { name: 'Improvement', color: '#3b82c4', weight: 22 },
  { name: 'Customer', color: '#d9730d', weight: 8 },
  { name: 'Performance', color: '#c9a227', weight: 8 },
  { name: 'Security', color: '#b5533c', weight: 4 },
  { name: 'Accessibility', color: '#0f9d8a', weight: 6 },
  { name: 'Design', color: '#c2528b', weight: 6 },
  { name: 'Docs', color: '#6b7280', weight: 5 },
  { name: 'Tech debt', color: '#7a6a53', weight: 9 },
];

export const MEMBERS: readonly string[] = [
  'Ada Okafor', 'Ben Sørensen', 'Carmen Ibáñez', 'Daniel Kim', 'Elif Yılmaz', 'Farid Rahimi', 'Greta Lindqvist',
  'Hiro Tanaka', 'Imani Mwangi', 'Jonas Weber', 'Kavya Nair', 'Liam O’Connor', 'Marta Kowalska', 'Noah Dubois',
  'Olivia Rossi', 'Pavel Novák', 'Quinn Harper', 'Rosa Jiménez', 'Samir Haddad', 'Tess van Dijk', 'Uma Krishnan',
  'Viktor Horvat', 'Wren Castillo', 'Ximena Torres', 'Yusuf Demir', 'Zoë Laurent', 'Anders Holm', 'Bianca Moretti',
  'Chidi Eze', 'Dora Papadaki', 'Emil Fischer', 'Fatou Diallo',
];
export const MEMBER_COLORS: readonly string[] = [
  '#4f5bbf', '#a8560a', '#0b7a6b', '#a03c72', '#2f6ba3', '#327435', '#7150b8', '#8a6d0f', '#9c4530', '#4b5563',
];
