import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { READINGS, type Reading, type Readings } from './readings.js';

/** The metrics of one instance: a registry of its own, read when it is scraped. */
export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #set: readonly ((readings: Readings) => void)[];

  constructor() {
    this.contentType = this.#registry.contentType;
    this.#set = READINGS.map((reading) => register(this.#registry, reading));
    collectDefaultMetrics({ register: this.#registry });
  }

  /** In Prometheus's text format. */
  text(readings: Readings): Promise<string> {
    for (const set of this.#set) set(readings);
    return this.#registry.metrics();
  }
}

function register(registry: Registry, reading: Reading): (readings: Readings) => void {
  const { name, help, label, read } = reading;
  const options = { name, help, registers: [registry], labelNames: label === undefined ? [] : [label] };
  const metric = reading.kind === 'gauge' ? new Gauge(options) : new Counter(options);
  return (readings) => {
    metric.reset();
    const value = read(readings);
    if (value === null) return metric.remove(); // a reset alone would say 0
    if (typeof value === 'number') metric.inc(value);
    else for (const [of, count] of value) metric.inc({ [label ?? '']: of }, count);
  };
}
