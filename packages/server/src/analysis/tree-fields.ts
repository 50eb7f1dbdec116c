import { analysisError } from './errors.js';
import { isList, isNode, type TreeNode, type TreeValue } from './node-tree.js';

// What a field has to be. One that is missing or of another form is a version of Postgres that we do not know.

/** Short tags of Postgres 14 and 15. */
const TAGS: Readonly<Record<string, string>> = {
  RTE: 'RANGETBLENTRY',
  ARRAY: 'ARRAYEXPR',
  ROW: 'ROWEXPR',
  ROWCOMPARE: 'ROWCOMPAREEXPR',
  CASE: 'CASEEXPR',
  WHEN: 'CASEWHEN',
  COALESCE: 'COALESCEEXPR',
  MINMAX: 'MINMAXEXPR',
  COLLATE: 'COLLATEEXPR',
};

export function tagOf(node: TreeNode): string {
  return TAGS[node.tag] ?? node.tag;
}

export function textOf(node: TreeNode, name: string): string {
  const value = fieldOf(node, name);
  if (typeof value !== 'string') throw unreadable(node, name);
  return value;
}

/** Null for `<>`. */
export function nullableText(node: TreeNode, name: string): string | null {
  return fieldOf(node, name) === null ? null : textOf(node, name);
}

export function numberOf(node: TreeNode, name: string): number {
  const value = Number(textOf(node, name));
  if (!Number.isSafeInteger(value)) throw unreadable(node, name);
  return value;
}

export function flagOf(node: TreeNode, name: string): boolean {
  return textOf(node, name) === 'true';
}

/** An empty list is written as null. */
export function listOf(node: TreeNode, name: string): readonly TreeValue[] {
  const value = fieldOf(node, name);
  if (value === null) return [];
  if (!isList(value)) throw unreadable(node, name);
  return value;
}

export function numbersOf(node: TreeNode, name: string): readonly number[] {
  return listOf(node, name).map(Number);
}

export function textsOf(node: TreeNode, name: string): readonly string[] {
  return listOf(node, name).map((item) => {
    if (typeof item !== 'string') throw unreadable(node, name);
    return item;
  });
}

export function nodesOf(node: TreeNode, name: string): readonly TreeNode[] {
  return listOf(node, name).map((item) => {
    if (!isNode(item)) throw unreadable(node, name);
    return item;
  });
}

/** With null for what is left out, as in `array[:2]`. */
export function nullableNodesOf(node: TreeNode, name: string): readonly (TreeNode | null)[] {
  return listOf(node, name).map((item) => {
    if (item !== null && !isNode(item)) throw unreadable(node, name);
    return item;
  });
}

export function nodeOf(node: TreeNode, name: string): TreeNode {
  const value = fieldOf(node, name);
  if (!isNode(value)) throw unreadable(node, name);
  return value;
}

export function nullableNode(node: TreeNode, name: string): TreeNode | null {
  return fieldOf(node, name) === null ? null : nodeOf(node, name);
}

/** One of the values of an enum of Postgres, by its number. */
export function choiceOf<T>(node: TreeNode, name: string, choices: readonly (T | undefined)[]): T {
  const choice = choices[numberOf(node, name)];
  if (choice === undefined) throw unreadable(node, name);
  return choice;
}

/** An element that has to be there. */
export function at<T>(list: readonly T[], index: number, node: TreeNode): T {
  const item = list[index];
  if (item === undefined) throw analysisError('analysis_unreadable', `${node.tag}: too few elements`);
  return item;
}

function fieldOf(node: TreeNode, name: string): TreeValue {
  const value = node.fields.get(name);
  if (value === undefined) throw unreadable(node, name);
  return value;
}

function unreadable(node: TreeNode, name: string): Error {
  return analysisError('analysis_unreadable', `${node.tag}: the field ${name}`);
}
