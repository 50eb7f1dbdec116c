import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** When the newest file in these files and folders was written, in milliseconds since 1970. */
export async function newestIn(paths: readonly string[]): Promise<number> {
  let newestMs = 0;
  for (const path of paths) {
    const { mtimeMs } = await stat(path);
    newestMs = Math.max(newestMs, mtimeMs);
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || entry.parentPath.includes('node_modules')) continue;
      newestMs = Math.max(newestMs, (await stat(join(entry.parentPath, entry.name))).mtimeMs);
    }
  }
  return newestMs;
}
