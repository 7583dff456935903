import { TokenBrokerError } from '../../client/error.ts';
import { createTokenBrokerClient } from '../../client/token-broker-client.ts';
import { createObservability } from '../adapters/observability.ts';
import { readRequired, VARIABLES } from '../composition/environment.ts';
import type { Surroundings } from '../composition/instance.ts';

/** Milliseconds; as long as a caller may wait (invariant 14). */
const TIMEOUT_MS = 24_000;

/**
 * Composes the function that asks for one token through the API, as a caller does, and throws away what it gets. It never
 * repeats a call, and throws what the client throws: the alarms count failed invocations.
 */
export function composeCanaryFunction({ environment, output }: Surroundings): () => Promise<void> {
  const { telemetry } = createObservability({
    broker: readRequired(environment, VARIABLES.broker),
    service: 'canary',
    ...(output === undefined ? {} : { output }),
  });
  const url = readRequired(environment, VARIABLES.url);
  const connection = readRequired(environment, VARIABLES.canaryConnection);
  const subject = readRequired(environment, VARIABLES.canarySubject);

  return async () => {
    // A client keeps tokens: another one each time, so that the broker is asked.
    const client = createTokenBrokerClient({
      url,
      region: environment['AWS_REGION'],
      timeoutMs: TIMEOUT_MS,
      attempts: 1,
    });
    try {
      const { source, generation, tokenHash } = await client.token(connection, { subject });
      telemetry.info('The canary got a token.', { connection, subject, source, generation, tokenHash });
    } catch (error) {
      const { code = 'internal', status = 0, requestId = '' } = error instanceof TokenBrokerError ? error : {};
      telemetry.warn('The canary got no token.', { connection, subject, code, status, requestId });
      throw error;
    }
  };
}
