import { canonicalJson } from '@sluice/core/json';
import { authError } from './errors.js';

export interface Identity {
  /** Default: the configured client role. */
  readonly role?: string;
  /** As JSON has them: a Date arrives as text. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the rights end; in seconds since 1970 as `exp` of a JWT, or a Date. */
  readonly expiresAt?: number | Date;
}

/** An identity that was looked at. */
export interface KnownIdentity {
  readonly role: string | null;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970; null for no end. */
  readonly expiresAtMs: number | null;
}

const KEYS = ['role', 'claims', 'expiresAt'];

/**
 * What the application's `auth` answered, which is code of somebody else: nothing but an identity is anybody.
 * @returns null for nobody
 * @throws SluiceError `auth_answer_invalid`; its detail names what came, never a value
 */
export function readIdentity(answer: unknown): KnownIdentity | null {
  if (answer === null) return null;
  if (answer === undefined) throw invalid('it returned undefined: is a `return` missing? null refuses');
  if (typeof answer !== 'object' || Array.isArray(answer))
    throw invalid(`it returned ${Array.isArray(answer) ? 'a list' : `a ${typeof answer}`}`);
  const unknown = Object.keys(answer).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0)
    throw invalid(`${unknown.slice(0, 5).join(', ')} is not known; what queries shall know goes into claims`);
  const { role, claims, expiresAt }: Readonly<Record<string, unknown>> = { ...answer };
  if (role !== undefined && (typeof role !== 'string' || role === ''))
    throw invalid('role must be the name of a role');
  return { role: role ?? null, claims: asJson(claims ?? {}), expiresAtMs: asTime(expiresAt) };
}

/**
 * What Postgres is told of the claims, and so what makes two principals the same: what JSON loses, or would not take,
 * must not tell them apart on one side alone.
 */
function asJson(claims: unknown): Readonly<Record<string, unknown>> {
  const object = typeof claims === 'object' && !Array.isArray(claims);
  if (!object) throw invalid('claims must be an object');
  let text: string;
  try {
    text = JSON.stringify(claims);
  } catch {
    throw invalid('claims must be JSON: no bigint, and nothing that contains itself');
  }
  // In one order, as equal claims share what one of them was told first.
  const read: unknown = frozen(JSON.parse(canonicalJson(JSON.parse(text ?? 'null'))));
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw invalid('claims must be an object');
  return read as Readonly<Record<string, unknown>>;
}

/** Nobody's to change: neither the application's, which may keep what it returned, nor that of a query's function. */
function frozen(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
}

function asTime(expiresAt: unknown): number | null {
  if (expiresAt === undefined || expiresAt === null) return null;
  const ms = expiresAt instanceof Date ? Number(expiresAt) : Number(expiresAt) * 1000;
  if (Number.isNaN(ms) || (typeof expiresAt !== 'number' && !(expiresAt instanceof Date)))
    throw invalid('expiresAt must be seconds since 1970, or a Date');
  return ms;
}

function invalid(detail: string): Error {
  return authError('auth_answer_invalid', detail);
}
