/** Languages with two letters i, dotted and not: `lower('I')` is no `i` there. (glibc's and ICU's locales) */
const TURKIC = /^(az|crh|ku|tr|tt)([-_.@]|$)/i;

/**
 * Whether ASCII letters change their case under a collation as they do everywhere: what `lower`, `upper` and ILIKE need
 * of the collation that they are planned under.
 * @param locale as `pg_collation` or `pg_database` has it: `en_US.UTF-8`, `de-AT-x-icu`, `C`
 */
export function hasUsualCase(locale: string): boolean {
  return !TURKIC.test(locale);
}
