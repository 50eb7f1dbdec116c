import type { Config } from '../../config/config.js';
import { explain as explainPlan } from '../../explain/explanation.js';
import { explanationText } from '../../explain/explanation-text.js';
import type { ExitCode, Io } from '../io.js';
import { withPlanner } from '../planning.js';

export interface ExplainOptions {
  readonly json?: boolean;
  /** As a client would send it: only functions on the list. */
  readonly adHoc?: boolean;
}

/** `sluice explain SQL`: how a query would be kept live, or why it is refused. Runs nothing. */
export async function explain(
  sql: string,
  config: Config,
  options: ExplainOptions,
  io: Io,
): Promise<ExitCode> {
  await withPlanner(config, async (planner, registry, run) => {
    const principal = { role: config.role, claims: {} };
    const planned = await planner.explain(sql, { principal, adHoc: options.adHoc === true });
    const expected = await planner.estimate(sql, { principal });
    const explanation = await explainPlan(planned, registry, run, expected);
    io.out(
      options.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation),
    );
  });
  return 0;
}
