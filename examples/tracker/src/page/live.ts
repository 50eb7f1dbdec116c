import { createClient, type QueryRef } from '@sluice/client';
import type { Api } from '../server/sluice.js';

/** Of the server only types are here: no SQL, no Drizzle, no schema is in the page. */
export const { client, queries } = createClient<Api>({ url: window.location.origin });

type RowOf<Name extends keyof typeof queries> =
  ReturnType<(typeof queries)[Name]> extends QueryRef<infer Row> ? Row : never;

export type Team = RowOf<'teams'>;
export type Project = RowOf<'projects'>;
export type Member = RowOf<'members'>;
export type Label = RowOf<'labels'>;
export type IssueRow = RowOf<'issues'>;
export type IssueDetail = RowOf<'issue'>;
