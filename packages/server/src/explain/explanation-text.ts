import type { Estimate, Explanation, Observed, Timing } from '@sluice/core/explanation';
import { indent } from './lines.js';

/** For people: a few facts, what it has cost so far, then the plan as a tree. */
export function explanationText(explanation: Explanation): string {
  const { gear, reason, remedy, template, parameters, columns, reads, key, ordered, hints, tree } =
    explanation;
  const { estimate, observed } = explanation;
  return [
    `gear        ${gear}`,
    ...(reason === null ? [] : [`reason      ${reason}`]),
    ...(remedy === null ? [] : [`remedy      ${remedy}`]),
    `template    ${template}`,
    `parameters  ${parameters.map((type, index) => `$${index + 1} ${type}`).join(', ') || 'none'}`,
    `columns     ${columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
    `reads       ${reads.join(', ') || 'no table'}`,
    `key         ${key === null ? 'none: rows are told apart by all of their bytes' : key.join(', ') || 'the one row'}`,
    `ordered     ${ordered ? 'yes' : 'no'}`,
    ...hints.map((hint) => `hint        ${hint}`),
    ...(estimate === null ? [] : [estimateLine(estimate)]),
    ...(observed === null ? [] : observedLines(observed)),
    'plan',
    ...indent(tree),
    '',
  ].join('\n');
}

function estimateLine({ rows, bytes, heldRows, heldBytes }: Estimate): string {
  const answer = `an answer of some ${plural(rows, 'row')} in ${bytes} bytes`;
  return `estimate    by Postgres's statistics ${answer}; one view holds some ${plural(heldRows, 'row')} in ${heldBytes} bytes`;
}

function observedLines(observed: Observed): string[] {
  const { views, rerunViews, handedOver, heldRows, changes, transactions, misses, hydrations } = observed;
  const { reruns, heldBytes, toldRows, toldBytes, unsent } = observed;
  const again = rerunViews === 0 || rerunViews === views ? '' : `, ${rerunViews} of them re-run`;
  return [
    `views       ${views} open${again}, holding ${plural(heldRows, 'row')} in ${heldBytes} bytes`,
    ...(handedOver === null ? [] : [`handed over ${handedOver}`]),
    `changes     ${changes}${timing(transactions, ', in transactions')}`,
    ...(misses === 0 ? [] : [`misses      ${misses}`]),
    ...unsent.map(
      (one) => `unsent      ${one.misses} of them for want of values of ${one.table} that are not sent`,
    ),
    ...(hydrations.count === 0 ? [] : [`hydrations  ${timing(hydrations)}`]),
    ...(reruns.count === 0 ? [] : [`re-runs     ${timing(reruns)}`]),
    `told        ${plural(toldRows, 'row')} in ${toldBytes} bytes`,
  ];
}

function timing({ count, totalMs, p95Ms }: Timing, before = ''): string {
  if (count === 0) return '';
  const most = p95Ms === null ? '' : `, 95 of 100 in at most ${ms(p95Ms)}`;
  return `${before === '' ? '' : `${before} `}${count}, ${ms(totalMs / count)} each${most}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Two digits: more would be noise. */
function ms(value: number): string {
  return `${Number(value.toPrecision(2))} ms`;
}
