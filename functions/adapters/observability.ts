import type { Writable } from 'node:stream';
import type { Audit } from '../core/hand-out/audit.ts';
import { shortHash } from '../core/slot/token.ts';
import type { Telemetry } from '../core/words/platform.ts';

/** The function's log and metrics, and hand-outs recorded in that log. */
export interface Observability {
  readonly telemetry: Telemetry;
  readonly audit: Audit;
}

type Fields = Readonly<Record<string, unknown>>;

// X-Ray's header in the environment, `Root=1-…;Parent=…;Sampled=1`: the root names the request in traces.
const TRACE_ROOT = /Root=([^;]+)/;

/**
 * Creates the log and the metrics of a function. Every line is one JSON object on `output`, by default standard
 * output, and is handed over before the call returns: a hand-out is written before its answer, naming its token by the
 * first 12 hex digits of its SHA-256. Metrics are lines of CloudWatch's embedded metric format in the namespace
 * `broker`, each with the dimension `service` beside its own unless the functions share it.
 */
export function createObservability({
  broker,
  service,
  output = process.stdout,
}: {
  readonly broker: string;
  readonly service: string;
  readonly output?: Writable;
}): Observability {
  const iso = createIsoTimes();

  function log(level: 'INFO' | 'WARN', message: string, fields: Fields): void {
    const line: Record<string, unknown> = { level, message, timestamp: iso(Date.now()), service };
    const trace = traceRoot();
    if (trace !== undefined) line['xray_trace_id'] = trace;
    // The members written first name the line. No field replaces them.
    for (const name in fields) line[name] ??= fields[name];
    output.write(`${JSON.stringify(line)}\n`);
  }

  const telemetry: Telemetry = {
    metrics(dimensions, values, { isShared = false, fields } = {}) {
      const Metrics: { Name: string; Unit: string }[] = [];
      const names = isShared ? Object.keys(dimensions) : ['service', ...Object.keys(dimensions)];
      const metric = { Namespace: broker, Dimensions: [names], Metrics };
      const format = { Timestamp: Date.now(), CloudWatchMetrics: [metric] };
      const line: Record<string, unknown> = { _aws: format, service, ...dimensions, ...fields };
      for (const [name, { unit, value }] of Object.entries(values)) {
        Metrics.push({ Name: name, Unit: unit });
        line[name] = value;
      }
      output.write(`${JSON.stringify(line)}\n`);
    },
    warn(message, fields) {
      log('WARN', message, fields);
    },
    info(message, fields) {
      log('INFO', message, fields);
    },
  };

  const audit: Audit = {
    handOut({ tokenHash, at, ...record }) {
      log('INFO', 'A token was handed out.', { audit: { ...record, token: shortHash(tokenHash), at: iso(at) } });
    },
  };

  return { telemetry, audit };
}

/** Epoch milliseconds as ISO 8601. What is logged together happened together, so the last one is kept. */
function createIsoTimes(): (epochMs: number) => string {
  let last = { epochMs: Number.NaN, text: '' };
  return (epochMs) => {
    if (epochMs !== last.epochMs) last = { epochMs, text: new Date(epochMs).toISOString() };
    return last.text;
  };
}

/** The trace that this invocation belongs to; Lambda renews it in the environment for each. */
function traceRoot(): string | undefined {
  const header = process.env['_X_AMZN_TRACE_ID'];
  return header === undefined ? undefined : TRACE_ROOT.exec(header)?.[1];
}
