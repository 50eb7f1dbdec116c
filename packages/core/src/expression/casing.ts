import type { ValueType } from '../plan.js';
import { asciiLower, asciiUpper, isAscii } from './characters.js';
import { notReproduced } from './errors.js';

/*
 * Characters whose case is the same in every version of Unicode, of glibc and of ICU that Postgres may have been built
 * with, and in every language whose case is usual: Latin letters as in Western and Central Europe, the Cyrillic of
 * today, and what has no case: marks, punctuation, symbols, emoji, Hebrew, Arabic, the scripts of India, Thai, Lao, CJK,
 * kana, Hangul. Not Greek, whose last sigma ICU writes otherwise, nor letters that came to have a case late.
 */
const CASELESS =
  '\\u0300-\\u0344\\u0346-\\u036f\\u0590-\\u06ff\\u0900-\\u0eff\\u2000-\\u20cf\\u2190-\\u245f\\u2500-\\u2bff' +
  '\\u3000-\\u9fff\\uac00-\\ud7a3\\ufe00-\\ufe0f\\ufe30-\\ufe4f\\u{1f000}-\\u{1faff}\\u{20000}-\\u{3ffff}';
/** Of dotted I glibc and ICU have different small letters. */
const KNOWN = new RegExp(`^[\\0-\\u012f\\u0131-\\u017f\\u0400-\\u045f\\u0490\\u0491${CASELESS}]*$`, 'u');

/** One capital letter, or two, or none. */
const SHARP = /[µßıŉſ]/;

type Casing = (types: readonly ValueType[]) => (text: string) => string;

/**
 * Case is a matter of locale even for ASCII (Turkish has two letters i), so the planner gives the type with its
 * collation: under C only ASCII letters change; under another, the case of the characters above is as everywhere.
 * The planner plans casing only where `hasUsualCase` says so of the collation, or of the database's locale.
 */
function casing(
  ofAscii: (text: string) => string,
  isKnown: (text: string) => boolean,
  change: (text: string) => string,
): Casing {
  return ([type]) => {
    if (type === undefined || !('ordered' in type)) return notReproduced('case under an unknown collation');
    return (text) => {
      if (type.ordered || isAscii(text)) return ofAscii(text);
      return isKnown(text) ? change(text) : notReproduced('the case of rarer letters');
    };
  };
}

const isKnown = (text: string): boolean => KNOWN.test(text);

export const lowering: Casing = casing(asciiLower, isKnown, (text) => text.toLowerCase());
export const raising: Casing = casing(
  asciiUpper,
  (text) => isKnown(text) && !SHARP.test(text),
  (text) => text.toUpperCase(),
);
