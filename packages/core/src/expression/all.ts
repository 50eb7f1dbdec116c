import { CHUNKS } from '../chunks/all.js';
import { KERNEL_FAMILIES } from '../chunks/chunk.js';
import type { Family } from './registry.js';

/** Every family of functions by its name: of the kernel, and of the chunk of that name. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  ...KERNEL_FAMILIES,
  ...Object.fromEntries(
    Object.entries(CHUNKS).flatMap(([name, { functions }]) => (functions ? [[name, functions]] : [])),
  ),
};

/** Every function that is reproduced. */
export const FUNCTIONS: Family = Object.assign({}, ...Object.values(FAMILIES));
