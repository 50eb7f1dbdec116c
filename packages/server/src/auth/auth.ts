import { SluiceError } from '@sluice/core/errors';
import { canonicalJson } from '@sluice/core/json';
import type { Principal } from '../views/port.js';
import { authError } from './errors.js';
import { readIdentity, type Identity, type KnownIdentity } from './identity.js';

/** What a hook is given: the upgrade or HTTP request that the client came with, and the token it sent. */
export interface AuthRequest {
  /** Of `hello`, `auth`, or an `Authorization: Bearer` header. */
  readonly token?: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly url: string;
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
  /** Told why nobody can say who is asking: what the hook threw, or what is wrong with its answer. */
  readonly onError?: (error: unknown) => void;
}

const ANYBODY: AuthHook = () => ({ claims: {} });

export class Auth {
  readonly #options: AuthOptions;

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  /** @throws SluiceError `unauthorized`, `token_expired`, `auth_answer_invalid` or `auth_failed` */
  async check(request: AuthRequest): Promise<Grant> {
    const { hook = ANYBODY, defaultRole, nowMs, onError } = this.#options;
    let identity: KnownIdentity | null;
    try {
      identity = readIdentity(await this.#inTime(hook, request));
    } catch (error) {
      onError?.(error);
      // The application's own error may hold the token; and what is wrong with its answer is not the client's business.
      throw authError(isOurs(error, 'auth_answer_invalid') ? 'auth_answer_invalid' : 'auth_failed');
    }
    if (identity === null) throw authError('unauthorized');
    const { role, claims, expiresAtMs } = identity;
    if (expiresAtMs !== null && expiresAtMs <= nowMs()) throw authError('token_expired');
    return { principal: Object.freeze({ role: role ?? defaultRole, claims }), expiresAtMs };
  }

  async #inTime(hook: AuthHook, request: AuthRequest): Promise<unknown> {
    const { timeoutMs } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(authError('auth_failed', `no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([Promise.resolve(hook(request)), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isOurs(error: unknown, code: string): boolean {
  return error instanceof SluiceError && error.code === code;
}

/** A text that two principals share exactly when every binding of theirs is the same. */
export function principalKey(principal: Principal): string {
  return canonicalJson([principal.role, principal.claims]);
}
