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

/** Metrics and log for operators. Never throws; names and dimensions only, no values of slots' contents. */
export interface Telemetry {
  metrics(dimensions: Readonly<Record<string, string>>, values: Readonly<Record<string, MetricValue>>): void;
  /** Something an operator should look at; fields hold no credential, token or upstream body. */
  warn(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
  info(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
}
