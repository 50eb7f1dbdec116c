import { createSluice } from '@sluice/server';
import { queries } from './queries.js';

export const sluice = createSluice({
  database: process.env['SLUICE_DATABASE_URL'],
  queries,
  // The dock shows what they cost. An application for strangers leaves it off.
  explain: true,
  // The list is what people look at: counts over all issues may come later, rather than hold it up for longer.
  holdMs: 40,
  logLevel: 'warn',
});

export type Api = typeof sluice;
