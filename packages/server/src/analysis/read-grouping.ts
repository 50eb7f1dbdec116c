import { analysisError } from './errors.js';
import type { TreeNode } from './node-tree.js';
import { choiceOf, listOf, nodesOf, numbersOf } from './tree-fields.js';

/** As Postgres: more make it refuse the query. */
const SETS_MAX = 4096;

type Sets = readonly (readonly number[])[];

/** GROUPING SETS, ROLLUP and CUBE written out: every set of keys, in order; several of them are combined. */
export function groupingSets(nodes: readonly TreeNode[], distinct: boolean): Sets {
  let sets: Sets = [[]];
  for (const node of nodes) {
    const more = expand(node);
    if (sets.length * more.length > SETS_MAX) throw tooMany();
    sets = sets.flatMap((set) => more.map((other) => unique([...set, ...other])));
  }
  if (!distinct) return sets;
  const seen = new Set<string>();
  return sets.filter((set) => {
    const key = set.toSorted((a, b) => a - b).join();
    return !seen.has(key) && seen.add(key);
  });
}

function expand(node: TreeNode): Sets {
  switch (choiceOf(node, 'kind', ['empty', 'simple', 'rollup', 'cube', 'sets'] as const)) {
    case 'empty':
      return [[]];
    case 'simple':
      return [numbersOf(node, 'content')];
    case 'rollup': {
      const parts = partsOf(node);
      return [...parts, []].map((_, left) => parts.slice(0, parts.length - left).flat());
    }
    case 'cube':
      return cube(partsOf(node));
    case 'sets':
      return nodesOf(node, 'content').flatMap((inner) => expand(inner));
  }
}

/** The keys of each element; several in brackets are one. */
function partsOf(node: TreeNode): Sets {
  return listOf(node, 'content').length === 0
    ? []
    : nodesOf(node, 'content').map((part) => numbersOf(part, 'content'));
}

function cube(parts: Sets): Sets {
  if (2 ** parts.length > SETS_MAX) throw tooMany();
  return Array.from({ length: 2 ** parts.length }, (_, mask) =>
    parts.flatMap((part, at) => ((mask & (1 << at)) === 0 ? part : [])),
  );
}

function unique(refs: readonly number[]): readonly number[] {
  return [...new Set(refs)];
}

function tooMany(): Error {
  return analysisError('analysis_unavailable', `more than ${SETS_MAX} grouping sets`);
}
