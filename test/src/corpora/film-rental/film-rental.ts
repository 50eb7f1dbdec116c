import type { Corpus } from '../corpus.js';
import { QUERIES } from './queries.js';
import { ROWS, SCHEMA } from './schema.js';

export const FILM_RENTAL: Corpus = { schema: SCHEMA, rows: ROWS, queries: QUERIES };
