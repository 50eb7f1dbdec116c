import type { SluiceError } from '@sluice/core/errors';

/** The one place that writes to the console: who opens a page too early, or from elsewhere, looks there. */
export function warn({ code, message, detail = '', hint }: SluiceError): void {
  console.warn(`sluice: ${message} [${code}] ${detail}\n→ ${hint}`);
}
