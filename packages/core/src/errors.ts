import type { WireError } from './wire.js';

/**
 * The registry of errors. A code is for ever; its words may improve. docs/errors.md is generated from here.
 * `message` states the fact, `hint` how to mend it, `retry` whether the same request may succeed later.
 */
export interface ErrorEntry {
  readonly message: string;
  readonly hint: string;
  readonly retry: boolean;
  /** Where it arises, for the page: a folder of the server or client. */
  readonly stage:
    | 'cli'
    | 'source'
    | 'registry'
    | 'analysis'
    | 'planner'
    | 'views'
    | 'sessions'
    | 'transport'
    | 'engine'
    | 'client'
    | 'react';
}

/** An error of the world, not of ours: always from the registry. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: string;
  readonly detail: string | undefined;
  readonly hint: string;
  readonly retry: boolean;

  constructor(code: string, entry: ErrorEntry, detail?: string, options?: ErrorOptions) {
    super(entry.message, options);
    this.code = code;
    this.detail = detail;
    this.hint = entry.hint;
    this.retry = entry.retry;
  }

  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      hint: this.hint,
      retry: this.retry,
    };
  }
}
