/**
 * Behaviour of a faulty service.
 *
 * - `down`: answers 500 without doing the work
 * - `throttle`: answers that there were too many requests, without doing the work
 * - `deny`: answers that access is denied, without doing the work
 * - `hang`: never answers, without doing the work
 * - `reset`: ends the connection without an answer, without doing the work
 * - `lose-reply`: does the work, then ends the connection without an answer
 */
export type FaultMode = 'none' | 'down' | 'throttle' | 'deny' | 'hang' | 'reset' | 'lose-reply';

/** A fault. `count` limits it to that many matching requests, `operation` to one operation (`Decrypt`). */
export interface Fault {
  readonly mode: FaultMode;
  readonly count?: number;
  readonly operation?: string;
}

/** Faults and request counters of running services. */
export interface Faults<Service extends string = AwsService> {
  /** Sets the fault of `service`, in place of any before. */
  set(service: Service, fault: Fault): void;
  /** Ends all faults; the counters stay. */
  clear(): void;
  /** Counts requests since the start or the last reset, faulty ones included, by `service.Operation`. */
  counts(): Record<string, number>;
  resetCounts(): void;
}

/** Services of the loopback endpoint. */
export type AwsService = 'secretsmanager' | 'kms' | 'lambda';

/** `Faults` as a server uses it: counts a request, and gives the fault to apply. */
export interface FaultSchedule<Service extends string> extends Faults<Service> {
  take(service: Service, operation: string): FaultMode;
}

/** Creates the faults of one server, with none set. */
export function createFaults<Service extends string>(): FaultSchedule<Service> {
  const active = new Map<Service, { fault: Fault; left: number }>();
  const counters = new Map<string, number>();

  return {
    set(service, fault) {
      active.set(service, { fault, left: fault.count ?? Number.POSITIVE_INFINITY });
    },
    clear() {
      active.clear();
    },
    counts() {
      return Object.fromEntries(counters);
    },
    resetCounts() {
      counters.clear();
    },
    take(service, operation) {
      const counter = `${service}.${operation}`;
      counters.set(counter, (counters.get(counter) ?? 0) + 1);
      const entry = active.get(service);
      if (entry === undefined || entry.left <= 0) return 'none';
      if (entry.fault.operation !== undefined && entry.fault.operation !== operation) return 'none';
      entry.left -= 1;
      return entry.fault.mode;
    },
  };
}
