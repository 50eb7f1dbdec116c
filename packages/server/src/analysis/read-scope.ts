import { analysisError } from './errors.js';
import type { Facts } from './facts.js';
import { isNode, type TreeNode } from './node-tree.js';
import type { Query } from './query-tree.js';
import { nodesOf } from './tree-fields.js';

/** Nodes of the algebra that one query may become: views within views and inlined WITH queries multiply. */
export const QUERY_NODES_MAX = 50_000;

/** What all parts of one reading share. */
export class Reading {
  readonly facts: Facts;
  /** The queries of views, by oid. */
  readonly views: ReadonlyMap<number, TreeNode>;
  readonly #nodesMax: number;
  #nodes = 0;
  #relations = 0;

  constructor(facts: Facts, views: ReadonlyMap<number, TreeNode>, nodesMax: number = QUERY_NODES_MAX) {
    this.facts = facts;
    this.views = views;
    this.#nodesMax = nodesMax;
  }

  /** @throws `analysis_unavailable` at the bound. */
  count(): void {
    if (++this.#nodes > this.#nodesMax)
      throw analysisError('analysis_unavailable', `the query has more than ${this.#nodesMax} nodes`);
  }

  /** A number for a relation, or a WITH query. */
  next(): number {
    return ++this.#relations;
  }
}

/** One query of the tree while it is read: what `varno` and `varlevelsup` mean within it. */
export class Scope {
  readonly reading: Reading;
  /** The query around; null at the top and for a view. */
  readonly parent: Scope | null;
  /** How many queries are around it in the algebra, where an inlined WITH query stands elsewhere than in the text. */
  readonly depth: number;
  readonly node: TreeNode;
  readonly rtable: readonly TreeNode[];
  /** The WITH queries that were not inlined, by their node. */
  readonly ctes: Map<TreeNode, number> = new Map();
  readonly #ids = new Map<number, number>();

  constructor(reading: Reading, parent: Scope | null, depth: number, node: TreeNode) {
    this.reading = reading;
    this.parent = parent;
    this.depth = depth;
    this.node = node;
    this.rtable = nodesOf(node, 'rtable');
  }

  /** The number of the relation at an index of the range table. */
  idOf(index: number): number {
    let id = this.#ids.get(index);
    if (id === undefined) {
      id = this.reading.next();
      this.#ids.set(index, id);
    }
    return id;
  }

  entry(index: number): TreeNode {
    const entry = this.rtable[index - 1];
    if (!isNode(entry)) throw analysisError('analysis_unreadable', 'a variable without its relation');
    return entry;
  }

  up(levels: number): Scope {
    if (levels === 0) return this;
    if (this.parent === null) throw analysisError('analysis_unreadable', 'a variable of no query');
    return this.parent.up(levels - 1);
  }
}

/** Where an expression stands: whose names it uses, and how deep it is. */
export interface Place {
  readonly scope: Scope;
  readonly depth: number;
  /** Reads a query that stands within the expression. */
  readonly query: (node: TreeNode, place: Place) => Query;
  /** What stands for CaseTestExpr: the CASE's own argument, or null for the element of an array. */
  readonly tested: TreeNode | null;
}
