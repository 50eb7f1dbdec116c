import type { Expression } from '../expression.js';
import type { Block, Input } from './plan.js';

/**
 * The largest parts of a plan's expressions that read no row, over the parameters of the query itself. Postgres works
 * them out before it runs the query: what they raise it raises though no row is ever looked at.
 */
export function constantParts(plan: Block): readonly Expression[] {
  const found = new Map<string, Expression>();
  visitBlock(plan, (param) => param, found);
  return [...found.values()];
}

/** The number that a block's parameter has in the query; null when it is of a row. */
type Origin = (param: number) => number | null;

function visitBlock({ inputs, ...block }: Block, origin: Origin, found: Map<string, Expression>): void {
  visit(block, origin, found);
  for (const { of, on, demand } of inputs) {
    visit(on, origin, found);
    if (of.kind === 'block') visitBlock(of.block, originBelow(demand, origin), found);
  }
}

/** A subquery's parameters are the pairs of its demand. */
function originBelow({ parent, pairs }: Input['demand'], origin: Origin): Origin {
  return (param) => {
    const pair = pairs.find(({ column }) => column === param);
    if (pair === undefined || (parent !== null && pair.ofParams !== true)) return null;
    return origin(pair.parentColumn);
  };
}

function visit(node: unknown, origin: Origin, found: Map<string, Expression>): void {
  if (!isObject(node)) return;
  if ('op' in node && node['op'] !== 'param' && node['op'] !== 'column') {
    const constant = overQuery(node, origin);
    if (constant !== null) {
      found.set(JSON.stringify(constant), constant as Expression);
      return;
    }
  }
  for (const part of Object.values(node)) visit(part, origin, found);
}

/** The node with the numbers that parameters have in the query; null when it reads a row, or is no expression. */
function overQuery(node: unknown, origin: Origin): unknown {
  if (!isObject(node)) return node;
  if (Array.isArray(node)) {
    const parts = node.map((part: unknown) => overQuery(part, origin));
    return parts.some((part, at) => part === null && node[at] !== null) ? null : parts;
  }
  if (node['op'] === 'column' || 'input' in node) return null;
  if (node['op'] === 'param') {
    const param = origin(Number(node['param']));
    return param === null ? null : { ...node, param };
  }
  const copy: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(node)) {
    const inside = overQuery(part, origin);
    if (inside === null && part !== null) return null;
    copy[name] = inside;
  }
  return copy;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
