/** Between the supervisor and the application's process. */
export type FromApplication =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'load'; readonly perSecond: number };

export function isFromApplication(value: unknown): value is FromApplication {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
