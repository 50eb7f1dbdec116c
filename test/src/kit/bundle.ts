import { build } from 'vite';

export interface BundleOptions {
  /** Packages by name, and where they are found instead. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Packages that stay out. */
  readonly external?: readonly (string | RegExp)[];
  /** With the checks that libraries make in development. */
  readonly development?: boolean;
}

/** One file of a bundle that is split at its dynamic imports. */
export interface SplitFile {
  readonly code: string;
  /** Files that are loaded with it. */
  readonly imports: readonly string[];
  readonly modules: readonly string[];
}

/**
 * @param source of a module that imports by paths, of which some dynamically
 * @param together modules that are in one file. @returns the files, minified; the first is that of the source
 */
export async function splitForBrowser(
  source: string,
  together: ReadonlySet<string> = new Set(),
): Promise<ReadonlyMap<string, SplitFile>> {
  const entry = 'virtual:entry';
  const made = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? source : undefined),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      rollupOptions: {
        input: entry,
        preserveEntrySignatures: 'strict',
        output: {
          format: 'es',
          ...(together.size > 0
            ? {
                codeSplitting: {
                  groups: [
                    { name: 'together', test: (id: string) => together.has(id) },
                    // The bundler's own, which would be drawn in.
                    { name: 'helper', test: /preload-helper/, priority: 1 },
                  ],
                },
              }
            : {}),
        },
      },
    },
  });
  const [output] = Array.isArray(made) ? made : [made];
  const files = output && 'output' in output ? output.output : [];
  return new Map(
    files.flatMap((file) =>
      file.type === 'chunk'
        ? [[file.fileName, { code: file.code, imports: file.imports, modules: file.moduleIds }] as const]
        : [],
    ),
  );
}

/**
 * One self-contained module for a browser, as an application's bundler would make it.
 * @param entry path of the module. @returns its code, minified.
 */
export async function bundleForBrowser(entry: string, options: BundleOptions = {}): Promise<string> {
  const { alias = {}, external = [], development = false } = options;
  const made = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias },
    ...(development ? { define: { 'process.env.NODE_ENV': '"development"' } } : {}),
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      rollupOptions: {
        external: [...external],
        input: entry,
        preserveEntrySignatures: 'strict',
        output: { format: 'es' },
      },
    },
  });
  const [output] = Array.isArray(made) ? made : [made];
  const chunks = output && 'output' in output ? output.output : [];
  const [first, ...others] = chunks;
  if (first?.type !== 'chunk' || others.length > 0) throw new Error('not one chunk');
  return first.code;
}
