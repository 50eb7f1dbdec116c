/** What became of one test. */
export interface Outcome {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  /** Its errors, each as `Name: message`, followed by what caused it. */
  readonly failures: readonly (readonly string[])[];
}

/**
 * `found`: an assertion failed, and nothing had to be cut off. `hung`: something had. `survived`: everything passed, or
 * what failed is no assertion, so that nothing says that it was the rule.
 */
export type Verdict = 'found' | 'survived' | 'hung';

const TIMED_OUT = /\b(Test|Hook) timed out in \d+ms/;
const ASSERTION = /^AssertionError\b|\bAssertionError:/;

/** @param outcomes null when the run had to be cut off. */
export function verdictOf(outcomes: readonly Outcome[] | null): Verdict {
  if (outcomes === null) return 'hung';
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  if (failures.some((chain) => chain.some((line) => TIMED_OUT.test(line)))) return 'hung';
  return failures.some((chain) => chain.some((line) => ASSERTION.test(line))) ? 'found' : 'survived';
}

/** Why, in one line. */
export function reasonOf(outcomes: readonly Outcome[] | null): string {
  if (outcomes === null) return 'cut off';
  if (outcomes.length === 0) return 'no test of that name ran';
  const failed = outcomes.flatMap((outcome) => outcome.failures)[0];
  const line = failed?.find((one) => ASSERTION.test(one)) ?? failed?.[0];
  return (line?.split('\n')[0] ?? 'passed').slice(0, 110);
}
