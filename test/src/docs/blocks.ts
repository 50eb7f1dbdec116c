/** A fenced block of a page. */
export interface Block {
  /** Of its opening fence. */
  readonly line: number;
  /** The language and what stands after it: `ts`, `runnable`. */
  readonly info: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a page, in its order. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: readonly string[]; lines: string[] } | null = null;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.startsWith('```')) open?.lines.push(line);
    else if (open) {
      blocks.push({ line: open.line, info: open.info, text: open.lines.join('\n') });
      open = null;
    } else open = { line: index + 1, info: line.slice(3).trim().split(/\s+/), lines: [] };
  }
  return blocks;
}
