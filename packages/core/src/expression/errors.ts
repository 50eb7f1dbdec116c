/** What Postgres would raise for these values. Whether it would evaluate them at all is for Postgres to say: ask it. */
export class PgError extends Error {
  /** Five characters. (Postgres manual, "PostgreSQL Error Codes") */
  readonly sqlstate: string;

  constructor(sqlstate: string) {
    super(`Postgres raises ${sqlstate}`);
    this.name = 'PgError';
    this.sqlstate = sqlstate;
  }
}

/** For these values the outcome is not reproduced here (it may be a value or an error): ask Postgres. */
export class NotReproduced extends Error {
  constructor(what: string) {
    super(`not reproduced: ${what}`);
    this.name = 'NotReproduced';
  }
}

export const OUT_OF_RANGE = '22003';
export const DIVISION_BY_ZERO = '22012';
export const INVALID_PARAMETER = '22023';
export const INVALID_TEXT = '22P02';
export const DATETIME_OVERFLOW = '22008';

/** In expression position: `cond ? value : raise(OUT_OF_RANGE)`. */
export function raise(sqlstate: string): never {
  throw new PgError(sqlstate);
}

export function notReproduced(what: string): never {
  throw new NotReproduced(what);
}
