import { configJsonSchema } from './schema.js';

/** One key that a flag or an environment variable can set. */
export interface ConfigKey {
  /** `limits.viewsMax` */
  readonly key: string;
  /** `--limits-views-max` */
  readonly flag: string;
  /** `SLUICE_LIMITS_VIEWS_MAX` */
  readonly variable: string;
  readonly kind: 'text' | 'integer' | 'bytes' | 'boolean' | 'list' | 'none';
  readonly choices: readonly string[] | null;
  readonly fallback: string | number | boolean | undefined;
  readonly meaning: string;
}

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly flag?: ConfigKey['kind'];
  readonly as?: string;
  readonly fallback?: string;
  readonly properties?: Readonly<Record<string, Node>>;
}

/** Every key of the schema, nested ones by their path. */
export function configKeys(): readonly ConfigKey[] {
  return collect('', configJsonSchema() as Node);
}

function collect(prefix: string, parent: Node): ConfigKey[] {
  return Object.entries(parent.properties ?? {}).flatMap(([name, node]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    return node.flag === undefined && node.type === 'object' ? collect(key, node) : [describe(key, node)];
  });
}

function describe(key: string, node: Node): ConfigKey {
  const flag = node.as ?? key.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const fallback = node.fallback ?? node.default;
  return {
    key,
    flag: `--${flag}`,
    variable: `SLUICE_${flag.replaceAll('-', '_').toUpperCase()}`,
    kind: node.flag ?? kindOf(node),
    choices: node.enum ?? null,
    fallback:
      typeof fallback === 'string' || typeof fallback === 'number' || typeof fallback === 'boolean'
        ? fallback
        : undefined,
    meaning: node.description ?? '',
  };
}

function kindOf(node: Node): ConfigKey['kind'] {
  switch (node.type) {
    case 'integer':
    case 'boolean':
      return node.type;
    case 'array':
      return 'list';
    default:
      return 'text';
  }
}

/**
 * The value of a flag or a variable as the configuration wants it. What cannot be read as its kind is passed on
 * as text, so that the schema complains about it like about any other value.
 */
export function readText(key: ConfigKey, text: string): unknown {
  switch (key.kind) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    default:
      return text;
  }
}
