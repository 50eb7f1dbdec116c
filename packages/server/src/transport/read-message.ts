import { BUCKETS_MAX } from '@sluice/core/digest';
import type { Position } from '@sluice/core/position';
import type { PgText } from '@sluice/core/value';
import { RESERVED_KINDS, type ClientMessage, type Resume, type Subscribe } from '@sluice/core/wire';
import { transportError } from './errors.js';

/*
 * The edge: unknown JSON becomes a message, or an error that names the member that is wrong. Every message is built
 * anew from the members that the protocol knows; what the client calls its members never becomes a name of ours.
 */

const ARGS_DEPTH_MAX = 64;
const HASH = /^[0-9a-f]{16}$/;

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws SluiceError `message_invalid`, `message_malformed` */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw transportError('message_invalid');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('an object');
  return value as JsonObject;
}

/** @returns null for a kind that may be ignored. @throws SluiceError */
export function readMessage(object: JsonObject): ClientMessage | null {
  const kind = own(object, 'kind');
  switch (kind) {
    case 'hello':
      return {
        kind,
        versions: list(object, 'versions', isVersion, 16),
        ...optional(object, 'token', isText),
        ...optional(object, 'position', isPosition),
        ...optional(object, 'edits', isBoolean),
      };
    case 'auth':
      return { kind, token: required(object, 'token', isText) };
    case 'subscribe':
      return readSubscribe(object);
    case 'unsubscribe':
      return { kind, id: required(object, 'id', isId) };
    case 'reach':
      return { kind, id: required(object, 'id', isId), target: required(object, 'target', isShortText) };
    case 'ping':
      return { kind, ...optional(object, 'id', isId) };
    default:
      if (own(object, 'optional') === true) return null;
      if (typeof kind !== 'string') throw malformed('kind');
      throw transportError(
        'message_unknown',
        RESERVED_KINDS.includes(kind) ? `${kind} is reserved` : undefined,
      );
  }
}

export function readSubscribe(object: JsonObject): Subscribe {
  return {
    kind: 'subscribe',
    id: required(object, 'id', isId),
    ...readQuery(object, readParams),
    ...readHeld(object),
  };
}

export type QueryMembers = Pick<Subscribe, 'query' | 'args' | 'sql' | 'params' | 'tick'>;

/** The members that say which query: `query` and `args`, or `sql` and `params`. */
export function readQuery(object: JsonObject, params: (value: unknown) => readonly PgText[]): QueryMembers {
  const query = optional(object, 'query', isText);
  const sql = optional(object, 'sql', isText);
  if ('query' in query === 'sql' in sql) throw malformed('one of query and sql');
  const args = own(object, 'args');
  const given = own(object, 'params');
  return {
    ...query,
    ...sql,
    ...(args === undefined ? {} : { args: bare(args, 0) }),
    ...(given === undefined ? {} : { params: params(given) }),
    ...optional(object, 'tick', isShortText),
  };
}

function readHeld(object: JsonObject): Pick<Subscribe, 'replaces' | 'resume'> {
  const resume = own(object, 'resume');
  return {
    ...optional(object, 'replaces', isId),
    ...(resume === undefined ? {} : { resume: readResume(resume) }),
  };
}

function readResume(value: unknown): Resume {
  if (typeof value !== 'object' || value === null) throw malformed('resume');
  const object = value as JsonObject;
  return {
    view: required(object, 'view', isShortText),
    ...optional(object, 'chain', isShortText),
    at: required(object, 'at', isPosition),
    buckets: list(object, 'buckets', isHash, BUCKETS_MAX),
    ...optional(object, 'order', isHash),
    ...optional(object, 'count', isId),
  };
}

function readParams(value: unknown): readonly PgText[] {
  if (!Array.isArray(value) || !value.every(isParam)) throw malformed('params');
  return value;
}

/** Parameters as people write them: numbers and booleans become the text that Postgres reads. */
export function readLooseParams(value: unknown): readonly PgText[] {
  if (!Array.isArray(value)) throw malformed('params');
  return value.map((param: unknown) => {
    if (isParam(param)) return param;
    if (typeof param === 'boolean') return param ? 'true' : 'false';
    const exact = typeof param === 'number' && (!Number.isInteger(param) || Number.isSafeInteger(param));
    if (!exact) throw malformed('params: send integers beyond 2^53 and everything else as text');
    return String(param);
  });
}

// ---------------------------------------------------------------- members

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function required<T>(object: JsonObject, name: string, is: (value: unknown) => value is T): T {
  const value = own(object, name);
  if (!is(value)) throw malformed(name);
  return value;
}

function optional<K extends string, T>(
  object: JsonObject,
  name: K,
  is: (value: unknown) => value is T,
): { readonly [P in K]?: T } {
  const value = own(object, name);
  if (value === undefined) return {};
  if (!is(value)) throw malformed(name);
  return { [name]: value } as { readonly [P in K]: T };
}

function list<T>(
  object: JsonObject,
  name: string,
  is: (value: unknown) => value is T,
  lengthMax: number,
): readonly T[] {
  const value = own(object, name);
  if (!Array.isArray(value) || value.length > lengthMax || !value.every(is)) throw malformed(name);
  return value;
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isVersion = (value: unknown): value is number => Number.isSafeInteger(value);
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isText = (value: unknown): value is string => typeof value === 'string';
const isShortText = (value: unknown): value is string => typeof value === 'string' && value.length <= 256;
const isPosition = (value: unknown): value is Position => isShortText(value);
const isHash = (value: unknown): value is string => typeof value === 'string' && HASH.test(value);
const isParam = (value: unknown): value is PgText => typeof value === 'string' || value === null;

/** A copy whose objects have no prototype, so that no name in it means anything. */
function bare(value: unknown, depth: number): unknown {
  if (depth > ARGS_DEPTH_MAX) throw malformed('args: nested too deeply');
  if (Array.isArray(value)) return value.map((item) => bare(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, item] of Object.entries(value)) copy[name] = bare(item, depth + 1);
  return copy;
}

function malformed(member: string): Error {
  return transportError('message_malformed', member);
}
