import { must } from '@sluice/core/assert';

export function median(values: readonly number[]): number {
  return must(values.toSorted((a, b) => a - b)[values.length >> 1], 'a round');
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The median, and the least and the greatest. */
export function ranging(values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

export function ratio(values: readonly number[], base: readonly number[]): string {
  return (median(values) / median(base)).toFixed(2);
}
