import { createHash } from 'node:crypto';
import { canonicalJson } from '@sluice/core/json';
import type { Binding } from '@sluice/core/plan';
import type { ViewId } from '@sluice/core/wire';
import type { Principal } from './port.js';

/**
 * The identity of a view: template (which holds the registry's version of its tables), binding, and who asks.
 * Clients with the same id see the same rows and share them; nothing else is shared.
 */
export function viewId(template: string, binding: Binding, principal: Principal, tickMs: number): ViewId {
  const parts = [template, binding, principal.role, canonicalJson(principal.claims), tickMs];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 27);
}
