export { createSluice, type Sluice } from './sluice.js';
export type {
  DatabaseConfig,
  LimitsConfig,
  LogLevel,
  QueryAnswer,
  QueryCall,
  QueryDefinition,
  QueryFunction,
  QueryText,
  SlotConfig,
  SluiceConfig,
  TlsConfig,
} from './config/config.js';
export type { AuthHook, AuthRequest, Identity } from './auth/auth.js';
export { SluiceError } from '@sluice/core/errors';
