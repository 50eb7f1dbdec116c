import type { Block } from './plan.js';

/** Whether a block is kept without the rows of its table. */
export function isTallied({ inputs: [input] }: Block): boolean {
  return input?.of.kind === 'table' && input.of.tallied === true;
}
