import { SluiceError, type ErrorEntry } from '@sluice/core/errors';

export type RegistryErrorCode = 'publication_filtered' | 'publication_via_root';

export const REGISTRY_ERRORS: Readonly<Record<RegistryErrorCode, ErrorEntry>> = {
  publication_filtered: {
    message: 'The publication has row filters or column lists, so changes would be missed.',
    hint: 'Publish whole tables: ALTER PUBLICATION … SET TABLE without WHERE and without a list of columns.',
    retry: false,
    stage: 'registry',
  },
  publication_via_root: {
    message: 'The publication sends the changes of partitions as changes of their root.',
    hint: 'Run ALTER PUBLICATION … SET (publish_via_partition_root = false): with true, TRUNCATE of a partition sends nothing.',
    retry: false,
    stage: 'registry',
  },
};

export function registryError(code: RegistryErrorCode, detail?: string): SluiceError {
  return new SluiceError(code, REGISTRY_ERRORS[code], detail);
}
