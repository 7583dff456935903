/** One claim and what was measured of it. */
export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Bars for the plot, each a ratio to what the section is measured against. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The target that the bar must not pass, where there is one. */
  readonly limit?: number;
}

/** The results of one part of the benchmark. */
export interface Section {
  readonly title: string;
  /** The method of measurement, and the limits of the numbers. */
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
  /** A picture of its own, as SVG, in a file beside the results. */
  readonly picture?: { readonly file: string; readonly title: string; readonly svg: string };
  readonly plot?: { readonly title: string; readonly bars: readonly Bar[] };
  /** The ratio of a thing to itself, measured in the same rounds; outside 0.95 to 1.05 the section is void. */
  readonly twin?: number;
}

/** The options of every part. */
export interface BenchOptions {
  /** Run few rounds and small herds, to test that the benchmark works. */
  readonly quick: boolean;
  /** A folder of this run's own, removed at its end. */
  readonly folder: string;
}

/** A target that a number must not exceed. */
export function atMost(what: string, limit: number, value: number, unit = ''): Target {
  return { what, target: `≤ ${figure(limit)}${unit}`, measured: `${figure(value)}${unit}`, met: value <= limit };
}

/** A target that a number must reach. */
export function atLeast(what: string, limit: number, value: number, unit = ''): Target {
  return { what, target: `≥ ${figure(limit)}${unit}`, measured: `${figure(value)}${unit}`, met: value >= limit };
}

/** A number as tables show it: three digits that count, thousands apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1_000) return String(value);
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return value.toFixed(Math.abs(value) < 0.01 ? 4 : 2);
}

/** A median with its tenth and ninetieth part. */
export function spreadText({ median, low, high }: { median: number; low: number; high: number }): string {
  return `${figure(median)} (${figure(low)}–${figure(high)})`;
}
