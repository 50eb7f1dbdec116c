import type { Registry } from './registry.js';

/** Tables whose definition, or the right to read them, is another one: plans that name them are made anew. */
export function changedTables(previous: Registry, next: Registry): ReadonlySet<number> {
  const changed = new Set<number>();
  for (const [oid, table] of next.tables) {
    const before = previous.tables.get(oid);
    if (previous.rightsHash !== next.rightsHash) changed.add(oid);
    if (before?.hash !== table.hash || before.accessHash !== table.accessHash) changed.add(oid);
  }
  for (const oid of previous.tables.keys()) if (!next.tables.has(oid)) changed.add(oid);
  return changed;
}

/**
 * Tables whose rows are others without a word in the stream: written anew, or brought and taken by a partition that
 * came or went (C20). A new partition counts too: what was written to it before it was known was not known to be the
 * root's.
 */
export function rewrittenTables(previous: Registry, next: Registry): ReadonlySet<number> {
  const rewritten = new Set<number>();
  for (const [oid, table] of next.tables) {
    const before = previous.tables.get(oid);
    if (before !== undefined && before.storage !== table.storage) rewritten.add(oid);
    const root = before?.partitionOf ?? null;
    if (root === table.partitionOf) continue;
    if (root !== null) rewritten.add(root);
    if (table.partitionOf !== null) rewritten.add(table.partitionOf);
  }
  for (const [oid, { partitionOf }] of previous.tables)
    if (partitionOf !== null && !next.tables.has(oid)) rewritten.add(partitionOf);
  return rewritten;
}
