/** Time. `now` is wall clock in epoch milliseconds, for freshness; `monotonic` in milliseconds, for deadlines only. */
export interface Clock {
  now(): number;
  monotonic(): number;
  sleep(milliseconds: number): Promise<void>;
}

export interface Random {
  uuid(): string;
  /** A number in [0, 1). */
  fraction(): number;
  bytes(length: number): Uint8Array;
}

export interface MetricValue {
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds';
  readonly value: number;
}

/** Parts of a metric's line beside its dimensions and values. */
export interface MetricLine {
  /** True where all functions share the metric; else each function has one of its own. */
  readonly isShared?: boolean;
  /** Fields of the log alone, which make no metric. */
  readonly fields?: Readonly<Record<string, string | number>>;
}

/** Metrics and log for operators. Never throws; names and dimensions only, no values of slots' contents. */
export interface Telemetry {
  /** Each name with each value of each dimension is a metric, and costs what a metric costs. */
  metrics(
    dimensions: Readonly<Record<string, string>>,
    values: Readonly<Record<string, MetricValue>>,
    line?: MetricLine,
  ): void;
  /** Something an operator should look at; fields hold no credential, token or upstream body. */
  warn(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
  info(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
}
