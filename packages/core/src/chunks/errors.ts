import { SluiceError, type ErrorEntry } from '../errors.js';

export type ChunkErrorCode = 'chunk_unknown' | 'plan_version_unknown';

export const CHUNK_ERRORS: Readonly<Record<ChunkErrorCode, ErrorEntry>> = {
  chunk_unknown: {
    message: 'The plan names a part of the engine that is not known here.',
    hint: 'It was made by another version of Sluice: upgrade the older of the two.',
    retry: false,
    stage: 'engine',
  },
  plan_version_unknown: {
    message: 'The plan is of a version that this engine does not run.',
    hint: 'It was made by another version of Sluice: upgrade the older of the two.',
    retry: false,
    stage: 'engine',
  },
};

export function chunkError(code: ChunkErrorCode, detail: string): SluiceError {
  return new SluiceError(code, CHUNK_ERRORS[code], detail);
}
