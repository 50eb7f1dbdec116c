/**
 * Languages with two letters i, dotted and not: `lower('I')` is no `i` there; and Lithuanian, whose small i keeps its dot
 * below an accent. (glibc's and ICU's locales)
 */
const OWN_CASE = /^(az|crh|ku|lt|tr|tt)([-_.@]|$)/i;
/** They know the case of ASCII alone. */
const BYTEWISE = /^(C|POSIX)$/i;

/**
 * Whether letters change their case under a collation as they do everywhere: what `lower`, `upper` and ILIKE need of the
 * collation that they are planned under, unless it is "C".
 * @param locale as `pg_collation` or `pg_database` has it: `en_US.UTF-8`, `de-AT-x-icu`, `C`
 */
export function hasUsualCase(locale: string): boolean {
  return !OWN_CASE.test(locale) && !BYTEWISE.test(locale);
}
