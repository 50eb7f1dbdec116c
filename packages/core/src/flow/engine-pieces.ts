import type { HeldBytes } from '../engine/held-bytes.js';
import type { MakeRowMap } from '../number-map.js';
import type { Compile, Pieces } from './compile.js';
import type { MakeAnswers, Maintained } from './maintained.js';
import type { FlowMember } from './member.js';
import type { Block } from './plan.js';

/** What an engine is made of. */
export interface EnginePieces extends Pieces {
  readonly engines: Engines;
  /** What holds rows and keys by what they are found by: a `Map` unless given, which is for few. */
  readonly newMap?: MakeRowMap;
}

/** What keeps blocks that the kernel does not keep by their rows. */
export interface Engines {
  readonly tally?: MakeEngine;
}

/** @param isLeft whether a member is left to Postgres, whatever the rows; null for a block within another */
export type MakeEngine = (
  plan: Block,
  parts: EngineParts,
  isLeft: ((member: FlowMember) => boolean) | null,
) => Maintained;

/** What all blocks of a plan share. */
export interface EngineParts extends EnginePieces {
  readonly compile: Compile;
  readonly bytes: HeldBytes;
  readonly answers: MakeAnswers;
}
