import { SluiceError } from '@sluice/core/errors';
import { cliError } from './errors.js';

/** An error of the world as it is; anything else is a bug of ours, and says where. */
export function asSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return cliError('internal', said, { cause: error });
}

/**
 *     error: Postgres refuses the password. [password_wrong]
 *       localhost:5432/app: 28P01
 *       → Check user and password of the database URL.
 */
export function printError(error: SluiceError): string {
  const detail = (error.detail ?? '').split('\n').filter((line) => line !== '');
  return [
    `error: ${error.message} [${error.code}]`,
    ...detail.map((line) => `  ${line}`),
    `  → ${error.hint}`,
    '',
  ].join('\n');
}
