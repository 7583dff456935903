import { endpointOf } from '../../../client/endpoint.ts';
import { createSigner } from '../../../client/signing.ts';
import { createTransport } from '../../../client/transport.ts';
import { type Caller, fetchFrom, readAnswer } from '../aws-calls.ts';

const TIMEOUT_MS = 35_000;

/** Creates a caller as the client calls: with the credentials that AWS's own tools have; on the emulator, led to it. */
export function createClient(url: string): Caller {
  const environment: Record<string, string | undefined> = process.env;
  const endpoint = endpointOf({ url, environment });
  const { AWS_ENDPOINT_URL, AWS_CA_BUNDLE } = environment;
  const transport = createTransport({
    endpoint,
    sign: createSigner({ endpoint, clock: { now: Date.now } }),
    fetch:
      AWS_ENDPOINT_URL === undefined || AWS_CA_BUNDLE === undefined
        ? fetch
        : fetchFrom({ AWS_ENDPOINT_URL, AWS_CA_BUNDLE }),
  });
  return async (method, target, { headers = {}, body } = {}) =>
    readAnswer(await transport({ method, target, headers, body }, { timeoutMs: TIMEOUT_MS }));
}
