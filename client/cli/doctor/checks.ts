import { jsonOf, parseJson } from '../../answer.ts';
import type { ConnectionStatus, ConnectionSummary, SlotStatus } from '../../broker-api.ts';
import { systemClock } from '../../clock.ts';
import { TokenBrokerError } from '../../error.ts';
import { createSigner } from '../../signing.ts';
import { createTransport, withTransportErrors } from '../../transport.ts';
import type { Call } from '../command.ts';
import { remedyForCode } from '../remedies.ts';
import {
  createSecretStore,
  defaultSecretId,
  faultOf,
  SECRET_ACCESS_DENIED,
  SECRET_NOT_FOUND,
  suspectIn,
} from '../secrets.ts';
import { durationOf } from '../table.ts';
import { callerIdentity } from './caller-identity.ts';

/** Result of one check. `unknown`: finding out would do harm. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed' | 'unknown';
  readonly detail: string;
  readonly remedy?: string;
}

const CLOCK_WARNING_MS = 30_000;
/** Limit on the clock's error, below the five minutes that SigV4 allows. */
const CLOCK_LIMIT_MS = 240_000;
const CREDENTIAL_CODES = new Set([
  'secret_unavailable',
  'secret_invalid',
  'upstream_credential_rejected',
  'reauthorization_required',
  'upstream_account_locked',
  'upstream_login_ambiguous',
]);

/** Finds the caller's AWS identity. */
export async function checkIdentity({ endpoint, timeoutMs, terminal }: Call): Promise<Finding> {
  const check = 'identity';
  if (endpoint.isLoopback) return { check, state: 'ok', detail: 'local, as a broker on this machine takes it' };
  try {
    const arn = await callerIdentity({ region: endpoint.region, timeoutMs, environment: terminal.environment });
    return { check, state: 'ok', detail: arn };
  } catch (error) {
    if (isUnreachable(error)) {
      const remedy =
        'Behind private endpoints that may be as it should: `grants` shows whether the broker takes the signature.';
      return {
        check,
        state: 'unknown',
        detail: 'AWS STS, which tells whose credentials these are, cannot be reached',
        remedy,
      };
    }
    const remedy = 'Log in (`aws sso login`), set AWS_PROFILE, or run where a role is given.';
    return failed(check, error, remedy);
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof TokenBrokerError && (error.kind === 'network' || error.kind === 'timeout');
}

/** Reports the region of the signature. */
export function checkRegion({ endpoint }: Call): Finding {
  return { check: 'region', state: 'ok', detail: `${endpoint.region}, at ${endpoint.base}` };
}

/** Checks that the URL answers, and compares its clock with this machine's. */
export async function checkReach({ endpoint, timeoutMs }: Call): Promise<readonly Finding[]> {
  const check = 'reach';
  const startedAt = Date.now();
  try {
    const { status, date } = await withTransportErrors({ timeoutMs, what: 'the broker' }, async (signal) => {
      const response = await fetch(`${endpoint.base}/connections`, { signal, redirect: 'manual' });
      await response.body?.cancel();
      return { status: response.status, date: Date.parse(response.headers.get('date') ?? '') };
    });
    const tookMs = Date.now() - startedAt;
    const isNoBroker = status === 404 || (status >= 300 && status < 400);
    const reach: Finding = isNoBroker
      ? {
          check,
          state: 'failed',
          detail: `something answers, but ${status} to /connections`,
          remedy: 'Check the URL: it is the output of the stack, with the stage where the API has one.',
        }
      : { check, state: 'ok', detail: `answers within ${tookMs} ms` };
    return [reach, checkClock(date, startedAt + tookMs / 2)];
  } catch (error) {
    return [
      failed(
        check,
        error,
        'Check the URL, DNS, a proxy or VPN; on this machine `token-broker dev` or `npm start` starts one.',
      ),
    ];
  }
}

function checkClock(date: number, now: number): Finding {
  const check = 'clock';
  if (Number.isNaN(date)) return { check, state: 'unknown', detail: 'the answer has no Date' };
  // `Date` has a resolution of one second.
  const offMs = Math.max(0, Math.abs(now - date) - 1000);
  if (offMs < CLOCK_WARNING_MS) return { check, state: 'ok', detail: 'agrees with the broker' };
  const detail = `${durationOf(offMs)} ${now > date ? 'ahead of' : 'behind'} the broker`;
  const remedy = 'Set this machine to network time: signatures more than five minutes off are refused.';
  return { check, state: offMs < CLOCK_LIMIT_MS ? 'warning' : 'failed', detail, remedy };
}

/** Checks which parts of the API this identity may use. Returns the connections that it found. */
export async function checkListing({
  client,
}: Call): Promise<{ readonly finding: Finding; readonly connections: readonly ConnectionSummary[] }> {
  const check = 'grants';
  try {
    const connections = await client.connections();
    const names = connections.map(({ name }) => name).join(', ');
    return { finding: { check, state: 'ok', detail: `may list connections: ${names}` }, connections };
  } catch (error) {
    const remedy =
      'For operators: `broker.grantOperate(principal)`. Callers do without; name a connection to check it.';
    return { finding: failed(check, error, remedy), connections: [] };
  }
}

/**
 * Checks whether this identity may get a connection's token, without getting one: the request has an invalid `min_ttl`,
 * so that the broker refuses it after IAM has allowed it.
 */
export async function checkTokenGrant(call: Call, connection: string): Promise<Finding> {
  const check = `grants ${connection}`;
  const { endpoint, timeoutMs } = call;
  const sign = createSigner({ endpoint, clock: systemClock });
  const transport = createTransport({ endpoint, sign, fetch });
  try {
    const target = `/tokens/${encodeURIComponent(connection)}/system?min_ttl=none`;
    await jsonOf(await transport({ method: 'GET', target }, { timeoutMs }));
    return { check, state: 'unknown', detail: 'the broker answered what it should not have' };
  } catch (error) {
    const code = error instanceof TokenBrokerError && error.kind === 'problem' ? error.code : undefined;
    if (code === 'invalid_request' || code === 'subject_not_supported') {
      return { check, state: 'ok', detail: 'may have its tokens' };
    }
    const grant = `\`broker.grantToken(principal, '${connection}')\` in the CDK app, for this identity.`;
    return failed(check, error, remedyForCode(code ?? '') ?? grant);
  }
}

/** Checks a connection's credential, and whether its logins work, by the connection's state. Reads no secret. */
export async function checkCredential(call: Call, connection: string): Promise<Finding> {
  const check = `secret ${connection}`;
  let status: ConnectionStatus;
  try {
    status = await call.client.status(connection);
  } catch (error) {
    const remedy = "For operators: `broker.grantOperate(principal)`, to see a connection's state.";
    return { ...failed(check, error, remedy), state: 'unknown' };
  }
  const isOfCredential = ({ last_error: last }: SlotStatus) => last !== null && CREDENTIAL_CODES.has(last.code);
  const isStuck = ({ last_error: last, state }: SlotStatus) => last !== null && state !== 'fresh';
  const isServed = status.slots.some(({ state }) => state === 'fresh');
  const bad = status.slots.find(isOfCredential) ?? status.slots.find(isStuck);
  if (bad?.last_error) {
    const { code, at, evidence } = bad.last_error;
    const remedy = remedyForCode(code) ?? 'See `token-broker status`, and the log of its mint function.';
    const isOthersWell = !isOfCredential(bad) && (isServed || code === 'upstream_subject_rejected');
    return {
      check: isOfCredential(bad) ? check : `login ${connection}`,
      state: isOthersWell ? 'warning' : 'failed',
      detail: `${code} for ${bad.subject} at ${at}${evidence === undefined ? '' : `, by ${evidence}`}`,
      remedy,
    };
  }
  const doubted = status.slots.find(({ warning }) => warning !== undefined);
  if (doubted?.warning !== undefined)
    return { check, state: 'warning', detail: `${doubted.subject}: ${doubted.warning}` };
  if (isServed) {
    const { kept_secret: kept } = status;
    const rotates = kept === undefined ? '' : `; the next refresh token is kept in ${kept}`;
    return { check, state: 'ok', detail: `has logged in${rotates}` };
  }
  return {
    check,
    state: 'unknown',
    detail: 'nothing was minted with it yet',
    remedy: `\`token-broker token ${connection} > /dev/null\` tries it.`,
  };
}

/**
 * Reads a secret with this identity and checks its shape; shows nothing of it. Without `secretId` it reads the secret
 * that the broker names. A failed read says nothing about the broker, which reads the secret under another identity.
 */
export async function checkSecretShape(call: Call, name: string, secretId: string | undefined): Promise<Finding> {
  const check = `shape ${name}`;
  try {
    const { secret, secret_fields: fields } = await call.client.status(name);
    const store = await createSecretStore(call.endpoint);
    const value = parseJson(await store.read(secretId ?? secret ?? defaultSecretId(name)));
    const fault = faultOf(value, fields);
    const suspect = fault === undefined ? suspectIn(value, fields) : undefined;
    if (suspect !== undefined) {
      return {
        check,
        state: 'warning',
        detail: suspect,
        remedy: `If logins are refused, set it again without: \`token-broker secret set ${name}\`.`,
      };
    }
    if (fault === undefined)
      return { check, state: 'ok', detail: `has ${fields.map((field) => field.name).join(' and ')}` };
    return { check, state: 'failed', detail: fault, remedy: `Set it again with \`token-broker secret set ${name}\`.` };
  } catch (error) {
    const code = error instanceof TokenBrokerError ? error.code : undefined;
    if (code === SECRET_NOT_FOUND) {
      const remedy = `Where the connection has a \`secret\`, or the broker a name, of its own: --secret-id ${name}=ID. Where it has no value yet: \`token-broker secret set ${name}\`.`;
      return { ...failed(check, error, remedy), state: 'unknown' };
    }
    const unread = failed(check, error, 'Have it checked by who may read it.');
    return code === SECRET_ACCESS_DENIED ? { ...unread, state: 'unknown' } : unread;
  }
}

function failed(check: string, error: unknown, remedy: string): Finding {
  const detail = error instanceof TokenBrokerError ? error.message : 'something unforeseen happened';
  return { check, state: 'failed', detail, remedy };
}
