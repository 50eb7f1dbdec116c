import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { Outcome } from './outcome.js';

interface Failure {
  readonly name?: string;
  readonly message?: string;
  readonly cause?: unknown;
}

/** Writes what became of each test that ran, as JSON, to the file that the environment names. */
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const outcomes: Outcome[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'skipped' || state === 'pending') continue;
        outcomes.push({
          file: module.moduleId,
          name: test.fullName,
          passed: state === 'passed',
          failures: (errors ?? []).map(chainOf),
        });
      }
    }
    writeFileSync(process.env['SLUICE_OUTCOMES'] ?? '/dev/stdout', JSON.stringify(outcomes));
  }
}

/** An error and what caused it, outermost first: a property that fails tells the assertion as its cause. */
function chainOf(error: unknown): string[] {
  const chain: string[] = [];
  for (let one: unknown = error; typeof one === 'object' && one !== null && chain.length < 5;) {
    const { name, message, cause } = one as Failure;
    chain.push(`${name ?? 'Error'}: ${message ?? ''}`);
    one = cause;
  }
  return chain;
}
