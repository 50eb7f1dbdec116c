/** How many values of a type are added to those at its edges. */
const COUNT = 24;

/** Values without a pattern, from a seed, in a form that Postgres reads. */
export class RandomValues {
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A whole number from 0 on. (A linear congruential generator) */
  below(limit: number): number {
    this.#seed = (this.#seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((this.#seed / 2 ** 32) * limit);
  }

  /** None for types whose edges say enough. */
  valuesOf(type: string): string[] {
    const make = this.#makers[type];
    return make ? Array.from({ length: COUNT }, () => make()) : [];
  }

  readonly #makers: Readonly<Record<string, () => string>> = {
    smallint: () => String(this.below(2 ** 16) - 2 ** 15),
    integer: () => this.#integer(32),
    bigint: () => this.#integer(64),
    numeric: () => this.#decimal(),
    real: () => this.#float(4),
    'double precision': () => this.#float(8),
    text: () => this.#text(),
    pattern: () => this.#text('%%__\\ab'),
    date: () => this.#date(),
    'timestamp without time zone': () => `${this.#date()} ${this.#time()}`,
    'timestamp with time zone': () => `${this.#date()} ${this.#time()}+00`,
    'time without time zone': () => this.#time(),
    interval: () => this.#interval(),
    jsonb: () => JSON.stringify(this.#json(3)),
    json: () => JSON.stringify(this.#json(3), null, this.below(2)),
    inet: () => this.#address(),
    'integer[]': () => `{${this.#list(() => (this.below(5) === 0 ? 'NULL' : String(this.below(4))))}}`,
    'text[]': () => `{${this.#list(() => JSON.stringify(this.#text()))}}`,
    int4range: () => this.#range(() => this.below(20)),
    numrange: () => this.#range(() => this.below(20) / 2),
    point: () => this.#point(),
    box: () => `${this.#point()},${this.#point()}`,
    circle: () => `<${this.#point()},${this.below(40) / 10}>`,
    int4multirange: () => this.#multirange(() => this.below(20)),
    nummultirange: () => this.#multirange(() => this.below(20) / 2),
    'number text': () => this.#decimal(),
  };

  #integer(bits: number): string {
    const random = (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
    return String(BigInt.asIntN(bits, random >> BigInt(this.below(bits))));
  }

  #decimal(): string {
    const digits = (count: number): string => Array.from({ length: count }, () => this.below(10)).join('');
    const fraction = this.below(3) === 0 ? '' : `.${digits(1 + this.below(24))}`;
    return `${this.below(2) ? '-' : ''}${digits(1 + this.below(24))}${fraction}`;
  }

  #float(width: 4 | 8): string {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, this.below(2 ** 32));
    view.setUint32(4, this.below(2 ** 32));
    if (this.below(2)) view.setUint16(0, (view.getUint16(0) & 0x800f) | (0x3c00 + this.below(0x800)));
    const value = width === 8 ? view.getFloat64(0) : view.getFloat32(this.below(2) * 4);
    return this.below(4) === 0 ? String(this.below(10_000_000) / 8) : String(value);
  }

  #text(alphabet: string = 'abcAB é\u{1f600}%_ßß,'): string {
    const units = Array.from(alphabet);
    return Array.from({ length: this.below(8) }, () => units[this.below(units.length)] ?? '').join('');
  }

  #date(): string {
    const year = this.below(3) === 0 ? 1 + this.below(9999) : 1970 + this.below(80);
    return [String(year).padStart(4, '0'), this.#two(1 + this.below(12)), this.#two(1 + this.below(28))].join(
      '-',
    );
  }

  #time(): string {
    const fraction = this.below(2) ? `.${String(this.below(1_000_000)).padStart(6, '0')}` : '';
    return `${[this.below(24), this.below(60), this.below(60)].map((part) => this.#two(part)).join(':')}${fraction}`;
  }

  #two(value: number): string {
    return String(value).padStart(2, '0');
  }

  #interval(): string {
    const part = (unit: string, limit: number): string => `${this.below(2 * limit) - limit} ${unit}`;
    return `${part('months', 50)} ${part('days', 100)} ${this.below(2) ? '-' : ''}${this.below(100)}:${this.#time().slice(3)}`;
  }

  #json(depth: number): unknown {
    const kind = this.below(depth > 0 ? 7 : 5);
    if (kind === 5) return Array.from({ length: this.below(4) }, () => this.#json(depth - 1));
    if (kind === 6)
      return Object.fromEntries(
        ['a', 'b', 'é', 'aa', ''].slice(this.below(4)).map((name) => [name, this.#json(depth - 1)]),
      );
    return [null, true, this.below(3), this.#text(), this.below(1000) / 8][kind];
  }

  #address(): string {
    if (this.below(2)) return `10.${this.below(3)}.${this.below(256)}.${this.below(2)}/${this.below(33)}`;
    return `2001:db8:${this.below(3)}::${this.below(65_536).toString(16)}/${this.below(129)}`;
  }

  #list(item: () => string): string {
    return Array.from({ length: this.below(5) }, item).join(',');
  }

  #point(): string {
    return `(${(this.below(80) - 40) / 10},${(this.below(80) - 40) / 10})`;
  }

  #multirange(bound: () => number): string {
    return `{${this.#list(() => this.#range(bound))}}`;
  }

  #range(bound: () => number): string {
    const [low = 0, high = 0] = [bound(), bound()].toSorted((a, b) => a - b);
    return `${this.below(2) ? '[' : '('}${this.below(6) ? low : ''},${this.below(6) ? high : ''}${this.below(2) ? ']' : ')'}`;
  }
}
