/**
 * The least minor release of each major whose decoding can be trusted, and whose known ways around row security
 * are closed. Before them concurrent DDL could lose changes of published tables, and its first repair could fail
 * with an allocation error (release notes of 17.5 and 17.6, and of their siblings on the older branches).
 */
export const MINIMUM_MINORS: Readonly<Record<number, number>> = { 14: 19, 15: 14, 16: 10, 17: 6, 18: 0 };

export const OLDEST_MAJOR = 14;

/** `150014` → is 15.14 good enough? Majors newer than the table are. */
export function isTrusted(versionNum: number): boolean {
  const major = Math.floor(versionNum / 10_000);
  return major >= OLDEST_MAJOR && versionNum % 10_000 >= (MINIMUM_MINORS[major] ?? 0);
}

export function printVersion(versionNum: number): string {
  return `${Math.floor(versionNum / 10_000)}.${versionNum % 10_000}`;
}
