import { Console } from 'node:console';
import type { Writable } from 'node:stream';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Audit, Telemetry } from '../core/ports.ts';
import { shortHash } from '../core/token.ts';

/** The function's log and metrics (CloudWatch embedded metric format), and hand-outs recorded in that log. */
export interface Observability {
  readonly telemetry: Telemetry;
  readonly audit: Audit;
}

/**
 * Creates the log and the metrics of a function. Every line is one JSON object on `output`, by default standard
 * output. A hand-out is written there before the answer, naming its token by the first 12 hex digits of its SHA-256.
 */
export function createObservability({
  broker,
  service,
  output,
}: {
  readonly broker: string;
  readonly service: string;
  readonly output?: Writable;
}): Observability {
  const logger = new Logger({ serviceName: service, logLevel: 'INFO' });
  const metrics = new Metrics({ namespace: broker, serviceName: service });
  if (output !== undefined) {
    const lines = new Console(output);
    // Both offer no other way to write elsewhere than to standard output.
    Reflect.set(logger, 'console', lines);
    Reflect.set(metrics, 'console', lines);
  }

  const telemetry: Telemetry = {
    metrics(dimensions, values) {
      metrics.addDimensions({ ...dimensions });
      for (const [name, { unit, value }] of Object.entries(values)) metrics.addMetric(name, unit, value);
      metrics.publishStoredMetrics();
    },
    warn(message, fields) {
      logger.warn(message, fields);
    },
    info(message, fields) {
      logger.info(message, fields);
    },
  };

  const audit: Audit = {
    handOut({ tokenHash, at, ...record }) {
      logger.info('A token was handed out.', {
        audit: { ...record, token: shortHash(tokenHash), at: new Date(at).toISOString() },
      });
    },
  };

  return { telemetry, audit };
}
