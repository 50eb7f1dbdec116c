import { must } from '@sluice/core/assert';
import { sourceError } from './errors.js';
import type { Run } from './source.js';

/** What has to be true before a slot is made; each thing that is not has its own error. */
export interface Preflight {
  /** `server_version_num`: 150018. */
  readonly serverVersion: number;
}

/** @throws `wal_level_not_logical`, `database_is_standby`, `publication_missing`, `publication_partial` */
export async function preflight(run: Run, publication: string): Promise<Preflight> {
  const { rows } = await run(
    `SELECT current_setting('server_version_num'), pg_is_in_recovery(), current_setting('wal_level'),
            (SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND NOT p.pubviaroot
                    AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid
                                    AND (to_jsonb(r)->>'prqual' IS NOT NULL OR to_jsonb(r)->>'prattrs' IS NOT NULL))
             FROM pg_publication p WHERE p.pubname = $1)`,
    [publication],
  );
  const [version, recovery, walLevel, complete] = must(rows[0], 'one row');
  if (recovery === 't') throw sourceError('database_is_standby');
  if (walLevel !== 'logical') throw sourceError('wal_level_not_logical', `wal_level = ${walLevel}`);
  if (complete === null || complete === undefined) throw sourceError('publication_missing', publication);
  if (complete !== 't') throw sourceError('publication_partial', publication);
  return { serverVersion: Number(version) };
}
