import type { ValueType } from '../plan.js';
import { isAscii } from './characters.js';
import { notReproduced } from './errors.js';

/**
 * Case is a matter of locale even for ASCII (Turkish has two letters i), so the planner gives the type with its
 * collation: under C only ASCII letters change; under another, ASCII text is as everywhere, the rest is not known.
 * The planner plans casing only where `hasUsualCase` says so of the collation, or of the database's locale.
 */
export function casing(change: (text: string) => string) {
  return ([type]: readonly ValueType[]): ((text: string) => string) => {
    if (type === undefined || !('ordered' in type)) return notReproduced('case under an unknown collation');
    return (text) =>
      type.ordered || isAscii(text) ? change(text) : notReproduced('the case of letters beyond ASCII');
  };
}
