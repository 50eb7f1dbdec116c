/**
 * The list with one more; `list` is not to be used any more. A list that begins by a push has room for seventeen: most of
 * those that a change makes have one.
 */
export function appended<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one];
  list.push(one);
  return list;
}
