import type { Observed } from '@sluice/core/explanation';
import { Cost, type CostTotals } from './cost.js';
import type { ViewStatus } from './host-options.js';
import type { HostedView } from './hosted-view.js';
import type { Template } from './template-index.js';

/** What the open views of a plan have done, as far as it takes no catalog to say so. */
export type ObservedViews = Omit<Observed, 'unsent'> & Pick<CostTotals, 'unsent'>;

/** What the open views of a plan have done, whoever opened them; null when there are none. */
export function observedOf(views: Iterable<HostedView>, template: string): ObservedViews | null {
  const templates = new Set<Template>();
  let [count, rerunViews] = [0, 0];
  let handedOver: string | null = null;
  for (const hosted of views) {
    if (hosted.planned.template !== template) continue;
    templates.add(hosted.template);
    count++;
    if (hosted.kind !== 'rerun') continue;
    rerunViews++;
    const { gear } = hosted.template.planned;
    if (hosted.planned.gear.kind === 'incremental' && gear.kind === 'rerun') handedOver = gear.reason;
  }
  if (count === 0) return null;
  const heldRows = [...templates].reduce((sum, one) => sum + one.heldRowCount, 0);
  const heldBytes = [...templates].reduce((sum, one) => sum + one.heldBytes, 0);
  return { views: count, rerunViews, handedOver, ...sumOf(templates), heldRows, heldBytes };
}

/** @param past of templates that are gone */
export function statusOf(
  views: Iterable<HostedView>,
  templates: readonly Template[],
  past: Cost,
): Omit<ViewStatus, 'shed'> {
  const all = [...views];
  const incremental = templates.filter((one) => one.kind === 'incremental');
  const reruns = templates.filter((one) => one.kind === 'rerun');
  return {
    views: all.length,
    incremental: all.filter((one) => one.kind === 'incremental').length,
    rerun: all.filter((one) => one.kind === 'rerun').length,
    slowed: all.filter((one) => one.kind === 'rerun' && one.template.isSlowed).length,
    restless: incremental.reduce((sum, template) => sum + template.restlessCount, 0),
    heldRows: incremental.reduce((sum, template) => sum + template.heldRowCount, 0),
    heldBytes: templates.reduce((sum, template) => sum + template.heldBytes, 0),
    keptBytes: reruns.reduce((sum, template) => sum + template.heldBytes, 0),
    unkept: all.filter((one) => one.kind === 'rerun' && one.one.answer.rows === null).length,
    heldTexts: incremental.reduce((sum, template) => sum + template.heldTextCount, 0),
    cost: sumOf(templates, past),
  };
}

function sumOf(templates: Iterable<Template>, past?: Cost): CostTotals {
  const sum = new Cost();
  if (past !== undefined) sum.add(past);
  for (const { cost } of templates) sum.add(cost);
  return sum.totals;
}
