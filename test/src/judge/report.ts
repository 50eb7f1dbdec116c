import type { TokenCounts } from './reaches.js';

/** One thing that a client should not have seen. */
export interface Wrong {
  readonly kind: 'rows' | 'back' | 'invariant' | 'epoch';
  readonly client: string;
  readonly position: string;
  readonly query: string;
  readonly params: readonly (string | null)[];
  readonly detail: readonly string[];
}

/** What a judged run has counted. A *move* is one client going to one position. */
export interface Counts {
  moves: number;
  /** Moves seen while writers were running. */
  unsettled: number;
  /** Moves that changed nothing that a client shows (C3). */
  empty: number;
  /** Views compared with the truth at their position. */
  comparisons: number;
  /** Of views that were behind, at a position of their own. */
  behind: number;
  /** Errors that Postgres raised as well (C17). */
  errors: number;
  /** Of queries that read the clock. */
  timed: number;
  /** Ticks in the stream. */
  ticks: number;
  /** Changes of the schema. */
  alterations: number;
  /** Of views that showed rows of before such a change, where the poll that notices it has its time: not judged. */
  unnoticed: number;
  /** How long after the change the latest of those committed. */
  unnoticedMsMax: number;
  /** Of views that showed rows of after such a change at a position just before it: not judged either. */
  early: number;
  /** How long before the change the earliest of those positions was. */
  earlyMsMax: number;
  /** Subscriptions that ended because the schema no longer had what they name. */
  ended: number;
  positions: number;
  transactions: number;
  evaluations: number;
  /** Seen at a position that the shadow had left: not comparable. Always 0, or the run proves less than it says. */
  unjudged: number;
  wrong: number;
}

export function noCounts(): Counts {
  return {
    moves: 0,
    unsettled: 0,
    empty: 0,
    comparisons: 0,
    behind: 0,
    errors: 0,
    timed: 0,
    ticks: 0,
    alterations: 0,
    unnoticed: 0,
    unnoticedMsMax: 0,
    early: 0,
    earlyMsMax: 0,
    ended: 0,
    positions: 0,
    transactions: 0,
    evaluations: 0,
    unjudged: 0,
    wrong: 0,
  };
}

export interface Report extends Readonly<Counts> {
  readonly seed: string;
  readonly seconds: number;
  readonly postgres: number;
  /** Whether changes of the schema are told by the event trigger, or noticed by polling. */
  readonly eventTrigger: boolean;
  /** How many of them each client saw. */
  readonly wrongBy: Readonly<Record<string, number>>;
  /** The first of them, with their differences. */
  readonly wrongs: readonly Wrong[];
  /** Problems other than a wrong view: a client that never arrived, a truth that failed its own check. */
  readonly failures: readonly string[];
  readonly tokens: TokenCounts;
  /** How often each disturbance was made. */
  readonly chaos: Readonly<Record<string, number>>;
  /** Comparisons by the gear that the server gave the query. */
  readonly gears: Readonly<Record<string, number>>;
  /** Queries that no comparison touched. */
  readonly uncompared: readonly string[];
  /** What the writers did, by step. */
  readonly steps: Readonly<Record<string, number>>;
}

/** One comparison in so many may go unjudged around changes of the schema that nobody tells. */
const UNTOLD_SHARE = 20;

/** The run proves what it set out to prove. */
export function passed(report: Report): boolean {
  return (
    (report.unnoticed + report.early) * UNTOLD_SHARE <= report.comparisons &&
    report.wrong === 0 &&
    report.unjudged === 0 &&
    report.failures.length === 0 &&
    report.uncompared.length === 0 &&
    report.comparisons > 0
  );
}

/** For humans; `again` is the command that repeats the run. */
export function summaryOf(report: Report, again: string): string {
  const list = (record: Readonly<Record<string, number>>): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  return [
    `${passed(report) ? 'PASSED' : 'FAILED'}: ${report.moves} moves (${report.unsettled} unsettled, ${report.empty} empty), ` +
      `${report.comparisons} comparisons (${report.behind} behind, ${report.errors} errors, ${report.timed} by the clock), ${report.wrong} wrong, ` +
      `${report.unjudged} unjudged`,
    `Postgres ${report.postgres}, ${report.transactions} transactions, ${report.ticks} ticks, ${report.positions} positions, ` +
      `${report.evaluations} evaluations, ${report.seconds} s, seed ${report.seed}`,
    `gears: ${list(report.gears)}; chaos: ${list(report.chaos)}`,
    `schema: ${report.alterations} changes, ${report.eventTrigger ? 'told by the event trigger' : 'noticed by polling'}, ` +
      `${report.unnoticed} comparisons before that (latest ${report.unnoticedMsMax} ms after), ` +
      `${report.early} of its rows at a position before it (earliest ${report.earlyMsMax} ms), ${report.ended} subscriptions ended`,
    `tokens: ${report.tokens.tokens} handed over, ${report.tokens.reached} reached (slowest ${report.tokens.slowestMs} ms), ` +
      `${report.tokens.unreachable} of rolled back transactions, ${report.tokens.refused} refused in disturbances`,
    `steps: ${list(report.steps)}`,
    ...(report.uncompared.length > 0 ? [`never compared: ${report.uncompared.join(', ')}`] : []),
    ...report.failures.map((failure) => `failure: ${failure}`),
    ...report.wrongs.map(
      (wrong) =>
        `wrong (${wrong.kind}) at ${wrong.position}: ${wrong.client} ${wrong.query} ${JSON.stringify(wrong.params)}\n` +
        wrong.detail.map((line) => `    ${line}`).join('\n'),
    ),
    `again: ${again}`,
  ].join('\n');
}
