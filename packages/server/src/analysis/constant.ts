import type { Facts } from './facts.js';
import { isDatum, type TreeNode } from './node-tree.js';
import { datumText } from './datum.js';
import type { ScalarNode } from './query-tree.js';
import { flagOf, numberOf } from './tree-fields.js';

/** A constant as Postgres would print it under the pinned settings. */
export function constantOf(node: TreeNode, facts: Facts): ScalarNode {
  if (flagOf(node, 'constisnull')) return { kind: 'constant', value: null };
  const datum = node.fields.get('constvalue');
  if (!isDatum(datum)) return { kind: 'undecoded' };
  const value = datumText(datum.bytes, numberOf(node, 'consttype'), facts.types);
  return value === undefined ? { kind: 'undecoded' } : { kind: 'constant', value };
}
