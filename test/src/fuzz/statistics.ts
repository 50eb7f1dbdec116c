import type { Block } from '@sluice/core/flow/plan';
import type { BlockPlan } from '@sluice/server/planner/blocks/to-block';

export interface Compared {
  readonly sql: string;
  /** Nothing before and nothing after: not counted. */
  readonly isEmpty: boolean;
  /** Whether Postgres's answer differs from the one before. */
  readonly changed: boolean;
  readonly isError: boolean;
  /** How the answer was maintained, where that is known. */
  readonly gear?: 'incremental' | 'rerun';
}

/** What a run has compared, and what it has not. */
export class Statistics {
  /** Queries that were asked for; `tallied` are blocks with an aggregate without rows, `refused` none to Postgres. */
  readonly queries = { blocks: 0, tallied: 0, rerun: 0, refused: 0 };
  /** Queries that were not followed because they had no answer at first. */
  barren = 0;
  /** Comparisons of answers that blocks held, empty ones left out. */
  equal = 0;
  /** Of those: after a transaction that changed the answer. */
  changed = 0;
  /** Errors of Postgres at which the engine had no answer either, and answers that it left to Postgres. */
  missed = 0;
  missedErrors = 0;
  empty = 0;
  /** Equal comparisons by gear; of them after a change of the answer. */
  readonly gears = { incremental: 0, rerun: 0, changedIncremental: 0 };
  open = 0;
  unraised = 0;
  slow = 0;
  wrong = 0;
  /** Texts of queries of which a comparison was counted. */
  readonly compared = new Set<string>();
  readonly reasons = new Map<string, number>();
  readonly refusals: string[] = [];

  refuse(sql: string): null {
    this.queries.refused++;
    if (this.refusals.length < 200) this.refusals.push(sql);
    return null;
  }

  plan(planned: BlockPlan | string): void {
    if (typeof planned !== 'string') {
      this.queries.blocks++;
      if (hasTally(planned.block)) this.queries.tallied++;
      return;
    }
    this.queries.rerun++;
    this.reasons.set(planned, (this.reasons.get(planned) ?? 0) + 1);
  }

  count(
    verdict: 'equal' | 'open' | 'unraised' | 'slow' | 'missed' | 'wrong',
    { sql, isEmpty, changed, isError, gear }: Compared,
  ): void {
    if (verdict === 'missed' && isError) this.missedErrors++;
    else if (verdict === 'equal' && isEmpty) this.empty++;
    else this[verdict]++;
    if (verdict !== 'equal' || isEmpty) return;
    this.compared.add(sql);
    if (changed) this.changed++;
    if (gear === undefined) return;
    this.gears[gear]++;
    if (changed && gear === 'incremental') this.gears.changedIncremental++;
  }

  lines(): readonly string[] {
    const { blocks, tallied, rerun, refused } = this.queries;
    return [
      `queries: ${blocks + rerun}, as blocks ${blocks} (${share(blocks, blocks + rerun)}; ${tallied} aggregate without rows), re-run ${rerun}; not taken by Postgres ${refused}, without an answer and left out ${this.barren}`,
      `comparisons in blocks: ${this.equal} equal, ${share(this.changed, this.equal)} after a change of the answer; left to Postgres ${this.missed}, errors left to Postgres ${this.missedErrors}; not counted: ${this.empty} empty before and after`,
      `open answers ${this.open}, errors of Postgres that the engine does not come to ${this.unraised}, too slow ${this.slow}, WRONG ${this.wrong}`,
    ];
  }

  /** What a long run is about, in one line. */
  summary(): string {
    const asked = this.equal + this.missed + this.missedErrors;
    const { blocks, rerun } = this.queries;
    return `SUMMARY ${this.equal} comparisons counted over ${this.compared.size} different queries, ${share(this.changed, this.equal)} after a change that altered the result; incremental ${share(this.equal, asked)} of what followed queries were asked, ${share(blocks, blocks + rerun)} of all queries; ${this.wrong} wrong`;
  }

  reasonLines(): readonly string[] {
    return [...this.reasons]
      .toSorted(([, left], [, right]) => right - left)
      .map(([reason, count]) => `${count}  ${reason}`);
  }
}

function hasTally({ inputs }: Block): boolean {
  return inputs.some(({ of }) => (of.kind === 'block' ? hasTally(of.block) : of.tallied === true));
}

function share(part: number, of: number): string {
  return `${of === 0 ? 0 : Math.round((1000 * part) / of) / 10} %`;
}
