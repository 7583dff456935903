import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { createAwsSha256 } from '../../functions/adapters/aws/sha256.ts';
import type { ReceivedRequest } from './received-request.ts';

/** Reports whether a request has a valid signature over this body, at this time (epoch milliseconds). */
export type SignatureVerifier = (request: ReceivedRequest, body: Buffer, now: number) => Promise<boolean>;

interface Authorization {
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const API_SERVICE = 'execute-api';
/** Region of everything on loopback. */
export const LOCAL_REGION = 'us-east-1';
/** Access key id on loopback, and the API's secret access key. */
export const LOCAL_CREDENTIAL = 'local';
const MAX_CLOCK_DIFFERENCE_MS = 5 * 60 * 1000;
const CONTENT_HASH_HEADER = 'x-amz-content-sha256';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^,\s]+) *, *SignedHeaders=([^,\s]+) *, *Signature=([0-9a-f]{64})$/;
const AMZ_DATE = /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/;
const PRESIGNED_PARAMETER = /^x-amz-(algorithm|credential|signature|signedheaders)$/i;

/**
 * Creates the check that AWS makes of Signature Version 4 on an `AWS_IAM` route, or on a request to one of its own
 * `services`, whose requests are signed with `secretAccessKey`.
 *
 * Signs the received request again with AWS's own signer, over exactly the headers that it names as signed, and
 * compares the two signatures in constant time. It also requires: access key id `local`, the service, region
 * `us-east-1`, `x-amz-date` within five minutes either way, `host` and `x-amz-date` signed, and a true
 * `x-amz-content-sha256` where one is sent. A session token, a signature in the query string and a signed `date` header
 * are refused.
 *
 * The verifier never throws or rejects: an unreadable signature is an invalid one.
 */
export function createSignatureVerifier({
  services = [API_SERVICE],
  secretAccessKey = LOCAL_CREDENTIAL,
  maxClockDifferenceMs = MAX_CLOCK_DIFFERENCE_MS,
}: {
  readonly services?: readonly string[];
  readonly secretAccessKey?: string;
  readonly maxClockDifferenceMs?: number;
} = {}): SignatureVerifier {
  const credentials = { accessKeyId: LOCAL_CREDENTIAL, secretAccessKey };
  const sha256 = createAwsSha256();
  const signers = new Map(
    services.map((service) => [
      service,
      new SignatureV4({ service, region: LOCAL_REGION, credentials, sha256, applyChecksum: false }),
    ]),
  );

  return async (request, body, now) => {
    try {
      const authorization = readAuthorization(request);
      const signingDate = readSigningDate(request, now, maxClockDifferenceMs);
      const query = readQuery(request.rawQueryString);
      const signer = signers.get(authorization?.credential.split('/')[3] ?? '');
      if (authorization === undefined || signingDate === undefined || query === undefined) return false;
      if (signer === undefined) return false;

      const contentHash = createHash('sha256').update(body).digest('hex');
      const claimedHash = request.headers.get(CONTENT_HASH_HEADER);
      if (claimedHash !== undefined && claimedHash !== contentHash) return false;

      const signed = await signer.sign(
        new HttpRequest({
          method: request.method,
          path: request.rawPath,
          query,
          // The signer takes the body's hash from this header and need not read the body again.
          headers: { ...pick(request.headers, authorization.signedHeaders), [CONTENT_HASH_HEADER]: contentHash },
        }),
        {
          signingDate,
          // Includes headers that the signer skips by default; excludes the one added above, unless it was signed.
          signableHeaders: new Set(authorization.signedHeaders),
          unsignableHeaders: new Set([CONTENT_HASH_HEADER]),
        },
      );
      return isSame(authorization, signed.headers['authorization'] ?? '');
    } catch {
      return false;
    }
  };
}

function readAuthorization({ headers }: ReceivedRequest): Authorization | undefined {
  const authorization = parseAuthorization(headers.get('authorization') ?? '');
  if (authorization === undefined || headers.has('x-amz-security-token')) return undefined;
  const { signedHeaders } = authorization;
  const areSent = signedHeaders.every((name) => headers.has(name));
  const areOrdered = signedHeaders.every((name, index) => index === 0 || (signedHeaders[index - 1] ?? '') < name);
  const coverTheRequest = signedHeaders.includes('host') && signedHeaders.includes('x-amz-date');
  return areSent && areOrdered && coverTheRequest ? authorization : undefined;
}

function parseAuthorization(header: string): Authorization | undefined {
  const [, credential, signedHeaders, signature] = AUTHORIZATION.exec(header) ?? [];
  if (credential === undefined || signedHeaders === undefined || signature === undefined) return undefined;
  return { credential, signedHeaders: signedHeaders.split(';'), signature };
}

function readSigningDate({ headers }: ReceivedRequest, now: number, maxDifferenceMs: number): Date | undefined {
  const [, year, month, day, hours, minutes, seconds] = AMZ_DATE.exec(headers.get('x-amz-date') ?? '') ?? [];
  // An invalid Date fails the comparison with now. A day that rolls over (February 30th) gives another signature.
  const date = new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Math.abs(date.getTime() - now) <= maxDifferenceMs ? date : undefined;
}

/** Reads the query for the signer. `+` is a space, as in the event. */
function readQuery(rawQueryString: string): Record<string, string[]> | undefined {
  const values = new Map<string, string[]>();
  for (const part of rawQueryString.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decode(part.slice(equals + 1));
    // The signer does not sign X-Amz-Signature, so refuse it: nothing unsigned may pass.
    if (PRESIGNED_PARAMETER.test(name)) return undefined;
    const before = values.get(name);
    if (before === undefined) values.set(name, [value]);
    else before.push(value);
  }
  return Object.fromEntries(values);
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function pick(headers: ReadonlyMap<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, headers.get(name) ?? '']));
}

// Comparing credential and header list whole checks access key, date, region and service of the scope.
function isSame(received: Authorization, expectedHeader: string): boolean {
  const expected = parseAuthorization(expectedHeader);
  return (
    expected !== undefined &&
    received.credential === expected.credential &&
    received.signedHeaders.join(';') === expected.signedHeaders.join(';') &&
    timingSafeEqual(Buffer.from(received.signature), Buffer.from(expected.signature))
  );
}
