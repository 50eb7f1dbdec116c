/*
 * What the release notes of Postgres say of logical decoding (doc/src/sgml/release-NN.sgml, sections "Changes"; each
 * entry lists its commits on every branch, and the minors of one day belong together).
 *
 * 2025-05-08, Release 17.5, with 16.9, 15.13 and 14.18: "Avoid data loss when DDL operations that don't take a strong
 *   lock affect tables that are being logically replicated". Before, ALTER PUBLICATION … ADD TABLE beside a
 *   transaction that had begun left that transaction's later changes of the table out of the stream. Answers are then
 *   wrong for ever, and nothing tells us: an obstacle.
 *
 * 2025-08-14, Release 17.6, with 16.10, 15.14 and 14.19: "Avoid re-distributing cache invalidation messages from other
 *   transactions" (the repair of May could end in a memory allocation failure, and the stream with it), "Avoid
 *   infinite wait in logical decoding when reading a partially-written WAL record" (after a crash), "Avoid premature
 *   removal of old WAL during checkpoints". The stream stops or waits, and is never wrong. The same releases close
 *   CVE-2025-8713, by which a query could learn of values that its role may not read from statistics. Warnings.
 */

type Minors = Readonly<Record<number, number>>;

/** The first minor release of each major whose stream is complete. */
export const EXACT_MINORS: Minors = { 14: 18, 15: 13, 16: 9, 17: 5, 18: 0 };

/** The first whose stream also goes on. */
export const SOUND_MINORS: Minors = { 14: 19, 15: 14, 16: 10, 17: 6, 18: 0 };

export const OLDEST_MAJOR = 14;

/** `150014` → is 15.14 among the releases from these minors on? Majors newer than the table are. */
export function isFrom(minors: Minors, versionNum: number): boolean {
  const major = Math.floor(versionNum / 10_000);
  return major >= OLDEST_MAJOR && versionNum % 10_000 >= (minors[major] ?? 0);
}

export function printMinors(minors: Minors): string {
  const releases = Object.entries(minors).map(([major, minor]) => `${major}.${minor}`);
  return releases.join(', ');
}

export function printVersion(versionNum: number): string {
  return `${Math.floor(versionNum / 10_000)}.${versionNum % 10_000}`;
}
