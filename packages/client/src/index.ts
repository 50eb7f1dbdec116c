export { createClient, type Sluice } from './create-client.js';
export type { Client, ClientStatus, LiveOptions } from './client.js';
export type { ClientOptions } from './options.js';
export type { Backoff } from './backoff.js';
export type { Clock } from './clock.js';
export type { Token } from './connection.js';
export type { CloseOptions, LiveState, LiveView } from './live-view.js';
export type { Phase, Status } from './phase.js';
export type { ReachOptions } from './reaches.js';
export type { Socket, SocketConstructor } from './socket.js';
export type { Wakeup, Wakeups } from './wakeups.js';
export type {
  AnyApi,
  AnyRow,
  ApiShape,
  CarriesApi,
  Mutate,
  Mutation,
  MutatorShape,
  Queries,
  QueryRef,
  QueryShape,
  SqlRef,
} from './api.js';
export { encodeParams, json, type JsonParam, type ParamValue } from './params.js';
export { JsonNumber, type JsonValue } from '@sluice/core/json';
export { SluiceError } from '@sluice/core/errors';
export type { Estimate, Explanation, Lookup, Observed, Timing, Unsent } from '@sluice/core/explanation';
export type { Position } from '@sluice/core/position';
export type { Shape, ShapeColumn } from '@sluice/core/shape';
export type { BoundedArray, Value } from '@sluice/core/decode';
