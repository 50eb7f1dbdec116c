import type { Compared, Kept, Wrong } from './watched.js';

/** Refusals of what no query may hold that is live: volatile functions, those that act, and what is not a table. */
const NOT_LIVE: ReadonlySet<string> = new Set([
  'function_volatile',
  'function_not_allowed',
  'relation_not_replicated',
]);

/** What came of following the queries of one corpus, or of several. */
export class Tally {
  readonly #kept: Kept[] = [];
  readonly #wrong: Wrong[] = [];
  readonly #compared = { equal: 0, changed: 0, changedIncremental: 0, open: 0, tied: 0 };
  #statements = 0;

  kept(kept: readonly Kept[]): void {
    this.#kept.push(...kept);
  }

  compared({ wrong: _, ...counts }: Compared): void {
    for (const name of ['equal', 'changed', 'changedIncremental', 'open', 'tied'] as const)
      this.#compared[name] += counts[name];
  }

  found(wrong: readonly Wrong[]): void {
    this.#wrong.push(...wrong);
  }

  written(statements: number): void {
    this.#statements += statements;
  }

  get incremental(): number {
    return this.#of('incremental');
  }

  get refused(): number {
    return this.#of('refused');
  }

  get wrong(): number {
    return this.#wrong.length;
  }

  /** Comparisons to which Postgres itself gives, or might give, several answers. */
  get open(): number {
    return this.#compared.open + this.#compared.tied;
  }

  /** Comparisons that hold after a change that altered the answer. */
  get changed(): number {
    return this.#compared.changed;
  }

  lines({ each }: { readonly each: boolean }): readonly string[] {
    const all = this.#kept.length;
    const live = this.#kept.filter(({ gear, reason }) => gear !== 'refused' || !NOT_LIVE.has(reason)).length;
    const percent = ((100 * this.incremental) / Math.max(1, live)).toFixed(1);
    const { equal, changed, changedIncremental, open, tied } = this.#compared;
    return [
      `${all} queries: ${this.incremental} incremental (${percent} % of the ${live} that may be live), ${this.#of('rerun')} re-run, ${this.refused} refused, ${this.wrong} wrong`,
      `${this.#statements} statements; ${equal} comparisons equal, ${changed} of them after a change of the answer (${changedIncremental} incremental); ${tied} with equal rows in another order; ${open} where Postgres has several answers`,
      ...this.#reasons(),
      ...(each
        ? this.#kept.map(
            ({ gear, reason, sql }) => `${gear} ${reason === '' ? '' : `(${reason}) `}${oneLine(sql)}`,
          )
        : []),
      ...this.#wrong.map(
        ({ gear, sql, params, lines }) =>
          `WRONG ${gear} ${oneLine(sql)} ${JSON.stringify(params)}\n  ${lines.join('\n  ')}`,
      ),
    ];
  }

  #of(gear: Kept['gear']): number {
    return this.#kept.filter((one) => one.gear === gear).length;
  }

  #reasons(): readonly string[] {
    const counts = new Map<string, number>();
    for (const { gear, reason } of this.#kept)
      if (gear !== 'incremental')
        counts.set(`${gear}: ${reason}`, (counts.get(`${gear}: ${reason}`) ?? 0) + 1);
    return [...counts]
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${String(count).padStart(6)} ${reason}`);
  }
}

function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}
