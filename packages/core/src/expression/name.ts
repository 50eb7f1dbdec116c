import { compareBytes } from '../engine/compare-text.js';
import type { ValueType } from '../plan.js';
import { notReproduced } from './errors.js';
import { FUNCTIONS as LIKE } from './like.js';
import { strict, tests, typedTests, type Family } from './registry.js';

/** `name`, the type of the catalog's identifiers: text that is ordered by bytes unless a collation is given. */
function inOrder(decide: (order: number) => boolean) {
  return ([type]: readonly ValueType[]) => {
    if (type === undefined || !('ordered' in type) || !type.ordered)
      notReproduced('the order of a collation');
    return (a: string, b: string) => decide(compareBytes(a, b));
  };
}

const less = inOrder((order) => order < 0);
const lessOrEqual = inOrder((order) => order <= 0);
const greater = inOrder((order) => order > 0);
const greaterOrEqual = inOrder((order) => order >= 0);
const isEqual = (a: string, b: string): boolean => a === b;
const isDifferent = (a: string, b: string): boolean => a !== b;

export const NAME: Family = {
  ...tests({
    nameeq: isEqual,
    namene: isDifferent,
    nameeqtext: isEqual,
    namenetext: isDifferent,
    texteqname: isEqual,
    textnename: isDifferent,
  }),
  ...typedTests({
    namelt: less,
    namele: lessOrEqual,
    namegt: greater,
    namege: greaterOrEqual,
    namelttext: less,
    nameletext: lessOrEqual,
    namegttext: greater,
    namegetext: greaterOrEqual,
    textltname: less,
    textlename: lessOrEqual,
    textgtname: greater,
    textgename: greaterOrEqual,
  }),
  ...likes(),
  ...strict('text', { name_text: (text) => text, nameout: (text) => text }),
};

function likes(): Family {
  const { textlike, textnlike, texticlike, texticnlike } = LIKE;
  const named = {
    namelike: textlike,
    namenlike: textnlike,
    nameiclike: texticlike,
    nameicnlike: texticnlike,
  };
  return named as Family;
}
