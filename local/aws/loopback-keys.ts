import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { receiveRequest } from '../gateway/received-request.ts';
import { createSignatureVerifier } from '../gateway/sigv4.ts';

/** Check of a request by its signature, once its body is read. */
export type KeyCheck = (request: IncomingMessage, body: Buffer) => Promise<boolean>;

/** Names of the services in a signature's scope. */
const SERVICES = ['secretsmanager', 'kms', 'lambda', 'dynamodb'];

/** Draws the secret access key of one start. Other users of the machine can reach its ports, and do not know it. */
export function drawSecretAccessKey(): string {
  return randomBytes(32).toString('base64url');
}

/** Creates the check that a request to a loopback endpoint is signed with `secretAccessKey`, as the SDK signs. */
export function createKeyCheck(secretAccessKey: string): KeyCheck {
  // The key lives as long as this start, so no signature is too old; the SDK's clock may be another in a test.
  const maxClockDifferenceMs = Number.MAX_SAFE_INTEGER;
  const verify = createSignatureVerifier({ services: SERVICES, secretAccessKey, maxClockDifferenceMs });
  return async (request, body) => {
    const received = receiveRequest(request);
    return !('unreadable' in received) && verify(received, body, Date.now());
  };
}

/** Answer to a request that is not signed with the key, whatever it asks for. */
export const KEY_REFUSAL = {
  status: 403,
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': 'InvalidSignatureException' },
  body: JSON.stringify({
    __type: 'InvalidSignatureException',
    message: 'The request is not signed with the key of this start.',
  }),
} as const;
