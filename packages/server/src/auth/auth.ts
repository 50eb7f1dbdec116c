import { SluiceError } from '@sluice/core/errors';
import type { Principal } from '../views/port.js';
import { authError } from './errors.js';

/** What a hook is given: the upgrade or HTTP request that the client came with, and the token it sent. */
export interface AuthRequest {
  /** Of `hello`, `auth`, or an `Authorization: Bearer` header. */
  readonly token?: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly url: string;
}

export interface Identity {
  /** Default: the configured client role. */
  readonly role?: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** When the rights end; in seconds since 1970 as `exp` of a JWT, or a Date. */
  readonly expiresAt?: number | Date;
}

/** Who is asking, or null for nobody we know. */
export type AuthHook = (request: AuthRequest) => Identity | null | Promise<Identity | null>;

/** A principal for as long as it is one. */
export interface Grant {
  readonly principal: Principal;
  /** Milliseconds since 1970; null for no end. */
  readonly expiresAtMs: number | null;
}

export interface AuthOptions {
  /** Omitted: everybody is the default role without claims. */
  readonly hook?: AuthHook;
  readonly defaultRole: string;
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

const ANYBODY: AuthHook = () => ({ claims: {} });

export class Auth {
  readonly #options: AuthOptions;

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  /** @throws SluiceError `unauthorized`, `token_expired` or `auth_failed` */
  async check(request: AuthRequest): Promise<Grant> {
    const { hook = ANYBODY, defaultRole, nowMs } = this.#options;
    const identity = await this.#inTime(hook, request);
    if (identity === null) throw authError('unauthorized');
    const { role = defaultRole, claims, expiresAt } = identity;
    const expiresAtMs =
      expiresAt === undefined ? null : Number(expiresAt instanceof Date ? expiresAt : expiresAt * 1000);
    if (expiresAtMs !== null && !(expiresAtMs > nowMs())) throw authError('token_expired');
    return { principal: { role, claims }, expiresAtMs };
  }

  async #inTime(hook: AuthHook, request: AuthRequest): Promise<Identity | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(authError('auth_failed', 'timeout')), this.#options.timeoutMs);
    });
    try {
      return await Promise.race([Promise.resolve(hook(request)), late]);
    } catch (error) {
      // The application's own error may hold the token: only its kind is told, and only to the log by the hook itself.
      throw error instanceof SluiceError ? error : authError('auth_failed');
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A text that two principals share exactly when every binding of theirs is the same. */
export function principalKey(principal: Principal): string {
  return canonical([principal.role, principal.claims]);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${canonical(entry)}`).join(',')}}`;
}
