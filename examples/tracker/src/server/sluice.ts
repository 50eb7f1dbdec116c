import { createSluice } from '@sluice/server';
import { db } from './database.js';
import { queries } from './queries.js';

export const sluice = createSluice({
  database: process.env['SLUICE_DATABASE_URL'],
  db,
  queries,
  logLevel: 'warn',
});

export type Api = typeof sluice;
