import { EncodeError, encodeParams as encode } from '@sluice/core/encode';
import type { PgText } from '@sluice/core/value';
import { clientError } from './errors.js';

export { json, type JsonParam, type ParamValue } from '@sluice/core/encode';

/** @throws SluiceError `param_invalid`, naming the parameter's number and never its value. */
export function encodeParams(params: readonly unknown[]): readonly PgText[] {
  try {
    return encode(params);
  } catch (error) {
    throw error instanceof EncodeError ? clientError('param_invalid', error.message) : error;
  }
}
