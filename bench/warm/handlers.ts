import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { z } from 'zod';
import type { Keys } from '../../functions/core/slot/keys.ts';
import type { Store } from '../../functions/core/slot/store.ts';

/** Any handler of the comparison; each gets the same event and answers the same. */
export type Handler = (event: never, context: Context) => Promise<unknown>;

/** The answer that all give, as an object that each has to write as JSON. */
export type Answer = Readonly<Record<string, unknown>>;

/** Creates an output that drops its lines: measured is the cost of making them, not of Lambda's work on them. */
export function nowhere(): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
}

/** A handler that knows the answer and writes it. */
export function bareHandler(answer: Answer): Handler {
  return async () => ({
    statusCode: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(answer),
  });
}

/** The bare handler in middy, without a middleware. */
export function bareMiddy(answer: Answer): Handler {
  const handler = middy(bareHandler(answer));
  return (event, context) => handler(event, context);
}

/**
 * Builds the usual stack for such a handler: middy, zod's schema of the event, Powertools' logger and metrics; one
 * line and two metrics a request, as the token function has.
 */
export function usualStack(answer: Answer): Handler {
  const lines = new Console(nowhere());
  const logger = new Logger({ serviceName: 'token', logLevel: 'INFO' });
  const metrics = new Metrics({ namespace: 'token-broker', serviceName: 'token' });
  // Neither offers another way to write elsewhere than to standard output.
  Reflect.set(logger, 'console', lines);
  Reflect.set(metrics, 'console', lines);
  const schema = z.object({
    resource: z.string(),
    pathParameters: z.object({ connection: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/), subject: z.string() }),
    queryStringParameters: z.object({ min_ttl: z.string().optional() }).nullable(),
    requestContext: z.object({
      requestId: z.string(),
      identity: z.object({ userArn: z.string() }),
    }),
  });
  const respond = bareHandler(answer);
  const handler = middy<z.infer<typeof schema>, unknown>()
    .before((request) => {
      request.event = schema.parse(request.event);
    })
    .handler(async (event, context) => {
      const { requestId, identity } = event.requestContext;
      logger.info('A token was handed out.', {
        audit: {
          caller: identity.userArn,
          ...event.pathParameters,
          generation: 1,
          secretVersion: 'a'.repeat(32),
          source: 'cache',
          requestId,
          token: 'abcdef012345',
          at: new Date().toISOString(),
        },
      });
      metrics.addDimensions({ connection: event.pathParameters.connection });
      metrics.addMetric('HandOuts', 'Count', 1);
      metrics.addMetadata('source', 'cache');
      metrics.addMetadata('SecondsToExpiry', '86000');
      metrics.publishStoredMetrics();
      // Its event is what the schema makes of any.
      return respond(event as never, context);
    });
  return (event, context) => handler(event, context);
}

/** Ports that must not be reached: a memory hit asks nobody. */
export function unreachable(): { readonly store: Store; readonly keys: Keys } {
  const refuse = async (): Promise<never> => {
    throw new Error('A hand-out from memory asked somebody.');
  };
  const port = new Proxy({}, { get: () => refuse });
  // A proxy that has every method there is stands for both.
  return { store: port as Store, keys: port as Keys };
}
