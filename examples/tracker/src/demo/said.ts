import { printError } from '@sluice/server/cli/print-error';
import { SluiceError } from '@sluice/server';

/** An error as it is told: what, where, and how to mend it. */
export function inWords(error: unknown): string {
  if (error instanceof SluiceError) return printError(error).trimEnd();
  return error instanceof Error ? error.message : String(error);
}
