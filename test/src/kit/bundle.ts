import { build } from 'vite';

/**
 * One self-contained module for a browser, as an application's bundler would make it.
 * @param entry path of the module. @returns its code, minified.
 */
export async function bundleForBrowser(entry: string): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', output: { format: 'es' } },
    },
  });
  const [output] = Array.isArray(made) ? made : [made];
  const chunks = output && 'output' in output ? output.output : [];
  const [first, ...others] = chunks;
  if (first?.type !== 'chunk' || others.length > 0) throw new Error('not one chunk');
  return first.code;
}
