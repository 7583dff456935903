/**
 * What a faulty service does with a request.
 *
 * - `down`: answers 500, having done nothing
 * - `throttle`: answers that there were too many requests, having done nothing
 * - `deny`: answers that access is denied, having done nothing
 * - `hang`: never answers, having done nothing
 * - `reset`: ends the connection without an answer, having done nothing
 * - `lose-reply`: does what was asked, then ends the connection without an answer
 */
export type FaultMode = 'none' | 'down' | 'throttle' | 'deny' | 'hang' | 'reset' | 'lose-reply';

/** A fault; `count` limits it to the next so many matching requests, `operation` to one operation's (`Decrypt`). */
export interface Fault {
  readonly mode: FaultMode;
  readonly count?: number;
  readonly operation?: string;
}

/** The faults and the request counters of some services, to be changed and read while they run. */
export interface Faults<Service extends string = AwsService> {
  /** Gives `service` this fault in place of any that it had. */
  set(service: Service, fault: Fault): void;
  /** Ends all faults; the counters stay. */
  clear(): void;
  /** Requests received since the start or the last reset, faulty ones included, by `service.Operation`. */
  counts(): Record<string, number>;
  resetCounts(): void;
}

/** The services that the loopback endpoint answers for. */
export type AwsService = 'secretsmanager' | 'kms' | 'lambda';

/** The side of `Faults` that a server uses: counts one request, and says what is to go wrong with it. */
export interface FaultSchedule<Service extends string> extends Faults<Service> {
  take(service: Service, operation: string): FaultMode;
}

/** Creates the faults of one server, none set. */
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
