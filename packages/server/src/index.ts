export { createSluice, type Handler, type Sluice } from './sluice.js';
export type {
  ApplicationDatabase,
  DatabaseConfig,
  LimitsConfig,
  LogLevel,
  QueryAnswer,
  QueryBuilder,
  ErrorHook,
  ErrorPlace,
  QueryCall,
  QueryDefinition,
  QueryFunction,
  QueryText,
  RemoteResolverConfig,
  ResolveAnswer,
  ResolveFunction,
  SlotConfig,
  SluiceConfig,
  TlsConfig,
} from './config/config.js';
export type { AuthHook, AuthRequest } from './auth/auth.js';
export type { Identity } from './auth/identity.js';
export { SluiceError } from '@sluice/core/errors';
export { defineQueries, query, rows, type QueryOptions } from './resolving/query.js';
export type { AnyRow, RowOf, TypedAnswer } from './resolving/row-of.js';
export type { AnyNamedQuery, Ctx, NamedQuery } from './config/named-query.js';
export type { ApiOf } from './api.js';
export type { NodeServer } from './attach.js';
