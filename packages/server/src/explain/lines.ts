export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Each level below the one before it. */
export function nest(levels: readonly string[], innermost: readonly string[]): string[] {
  const [first, ...rest] = levels;
  return first === undefined ? [...innermost] : [first, ...indent(nest(rest, innermost))];
}
