import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { transformWithOxc } from 'vite';
import { mutated, type Mutant } from './mutant.js';

const COPIED = [
  'packages',
  'test',
  'package.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const LEFT_OUT = new Set(['node_modules', '.cache']);

/**
 * A copy of the repository, built as it is, to break one thing at a time in. The work tree is never written.
 *
 *   copy/packages, copy/test     sources and what they were built to
 *   copy/node_modules            links to the real ones; `@sluice/*` lead to the copy's packages
 *   copy/tmp                     what the tests write to disk
 */
export class Tree {
  readonly path: string;
  readonly tmp: string;

  private constructor(path: string) {
    this.path = path;
    this.tmp = join(path, 'tmp');
  }

  static async copy(root: string): Promise<Tree> {
    const tree = new Tree(await mkdtemp(join(tmpdir(), 'sluice-mutants-')));
    await chmod(tree.path, 0o755); // Postgres runs as another user when we are root
    await mkdir(tree.tmp);
    await chmod(tree.tmp, 0o777);
    for (const name of COPIED)
      await cp(join(root, name), join(tree.path, name), {
        recursive: true,
        filter: (source) => !LEFT_OUT.has(basename(source)),
      });
    await tree.#link(root);
    return tree;
  }

  /** Does the work while the mutant is in the tree: in its source, and in what that was built to. */
  async broken<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const source = join(this.path, mutant.file);
    const built = source.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
    const before = [await readFile(source, 'utf8'), await readFile(built, 'utf8')] as const;
    const text = mutated(before[0], mutant);
    const code = await withoutTypes(text, source);
    await writeFile(source, text);
    await writeFile(built, code);
    try {
      return await work();
    } finally {
      await writeFile(source, before[0]);
      await writeFile(built, before[1]);
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async #link(root: string): Promise<void> {
    const modules = join(this.path, 'node_modules');
    await mkdir(join(modules, '@sluice'), { recursive: true });
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (name !== '@sluice') await symlink(join(root, 'node_modules', name), join(modules, name));
    }
    for (const name of await readdir(join(root, 'packages')))
      await symlink(join(this.path, 'packages', name), join(modules, '@sluice', name));
    await symlink(join(this.path, 'test'), join(modules, '@sluice', 'test'));
  }
}

/** What a file is built to. Types may be wrong in a mutant: they are taken off, not looked at. */
export async function withoutTypes(text: string, file: string): Promise<string> {
  const { code } = await transformWithOxc(text, file, { sourcemap: false });
  return code;
}
