import { createSluice } from '@sluice/server';
import { queries } from './queries.js';

export const sluice = createSluice({
  database: process.env['SLUICE_DATABASE_URL'] ?? '',
  queries,
  logLevel: 'warn',
});

export type Api = typeof sluice;
