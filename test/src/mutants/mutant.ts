/** A rule broken by hand, and the test that must notice. */
export interface Mutant {
  /** The rule and what of it is broken: `C7: …`. */
  readonly breaks: string;
  /** From the repository's root. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The test file, from the repository's root, and the test's name or how it begins. */
  readonly caughtBy: readonly [file: string, name: string];
}

/** The file's text with the mutant in it. @throws when what it looks for does not stand there exactly once. */
export function mutated(text: string, { breaks, file, find, replace }: Mutant): string {
  const places = text.split(find).length - 1;
  if (places !== 1)
    throw new Error(`${breaks}: its text stands ${places} times in ${file}, not once:\n${find}`);
  return text.replace(find, () => replace);
}
