import type { ServerMessage, WireError } from '@sluice/core/wire';

type Members = Readonly<Record<string, unknown>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isList = (value: unknown): boolean => Array.isArray(value);
const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null;
const isKeyed = (value: unknown): boolean => isList(value) && (value as unknown[]).every(isKeyedRow);
const isKeyedRow = (row: unknown): boolean => Array.isArray(row) && isText(row[0]) && isList(row[1]);
const isOps = (value: unknown): boolean => isList(value) && (value as unknown[]).every(isOp);
export const isWireError = (value: unknown): value is WireError =>
  isObject(value) && isText(value['code']) && isText(value['message']);
const isShape = (value: unknown): boolean => isObject(value) && isList(value['columns']);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

type Check = (value: unknown) => boolean;

function isOp(op: unknown): boolean {
  if (!Array.isArray(op) || !isText(op[1])) return false;
  return op[0] === 'del' || ((op[0] === 'put' || op[0] === 'edit') && isList(op[2]));
}

/** What each kind must have: enough that nothing behind this line has to look again. */
const MEMBERS: Readonly<Record<ServerMessage['kind'], Readonly<Record<string, Check>>>> = {
  hello: { version: isNumber, seed: isText, pingMs: isNumber },
  subscribed: { id: isNumber, view: isText, chain: isText, shape: isShape, gear: isText },
  rows: { view: isText, at: isText, rows: isKeyed },
  delta: { view: isText, from: isText, to: isText, ops: isOps },
  difference: {
    view: isText,
    at: isText,
    of: isNumber,
    buckets: isList,
    rows: isKeyed,
    order: optional(isList),
  },
  move: {
    position: isText,
    current: optional(isList),
    behind: optional(isList),
    errors: optional(isList),
    reached: optional(isList),
    replaced: optional(isList),
  },
  gear: { view: isText, gear: isText, reason: optional(isText) },
  error: { id: optional(isNumber), reach: optional(isNumber), error: isWireError },
  goaway: { afterMs: isNumber },
  pong: {},
};

export type Parsed =
  | { readonly ok: true; readonly message: ServerMessage }
  /** A kind of a later version that may be left out. */
  | { readonly ok: 'ignored' }
  | { readonly ok: false; readonly detail: string };

/** From a text of the wire to a message, or to the reason why it is none. */
export function parseMessage(text: unknown): Parsed {
  const value = typeof text === 'string' ? parseJsonText(text) : undefined;
  if (!isObject(value) || typeof value['kind'] !== 'string') return { ok: false, detail: 'no message' };
  const kind = value['kind'];
  if (!Object.hasOwn(MEMBERS, kind)) {
    return value['optional'] === true ? { ok: 'ignored' } : { ok: false, detail: 'unknown kind' };
  }
  for (const [name, check] of Object.entries(MEMBERS[kind as ServerMessage['kind']])) {
    if (!check(value[name])) return { ok: false, detail: `${kind}.${name}` };
  }
  return { ok: true, message: value as unknown as ServerMessage };
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
