import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { BackOffKind } from '../../core/slot/back-off.ts';
import type { Connection } from '../../core/slot/connection.ts';
import type { BrokerErrorCode } from '../../core/words/errors.ts';
import { describeStatus, type ParsedAnswer } from './answer.ts';

/** A failed attempt as a value; `detail` is for the caller and quotes nothing. */
export function failure(code: BrokerErrorCode, backOff: BackOffKind, detail: string): UpstreamFailure {
  return { kind: 'failure', code, backOff, detail };
}

/**
 * The failure that a status alone makes, at login and slide alike: redirect, throttling, faults of the server, and
 * whatever is neither an answer nor a refusal. Undefined for 2xx and 4xx other than 429.
 */
export function createStatusFailure(answer: ParsedAnswer): UpstreamFailure | undefined {
  const failed = describeFailure(answer.status);
  return failed && { ...failed, evidence: describeStatus(answer) };
}

function describeFailure(status: number): UpstreamFailure | undefined {
  const isOwnMatter = (status >= 200 && status < 300) || (status >= 400 && status < 500 && status !== 429);
  if (isOwnMatter) return undefined;
  if (status === 429) {
    return failure('upstream_throttled', 'not_judged', 'The upstream answered 429: too many requests.');
  }
  if (status === 503) {
    return failure('upstream_unavailable', 'not_judged', 'The upstream answered 503: it is not available.');
  }
  if (status >= 500) {
    return failure(
      'upstream_unavailable',
      'unknown',
      `The upstream answered ${status}. Whether it took the request is unknown.`,
    );
  }
  if (status >= 300) {
    return failure(
      'upstream_redirect',
      'unknown',
      `The upstream answered ${status}, a redirect, which is never followed with a credential. Set \`baseUrl\` and the paths to where the API is.`,
    );
  }
  return failure('upstream_invalid_response', 'unknown', `The upstream answered ${status}, which ends no request.`);
}

/** The failure that the status of a login's answer makes: a 500 may be a wrong credential (C12). Undefined for 2xx. */
export function createLoginStatusFailure(answer: ParsedAnswer): UpstreamFailure | undefined {
  const { status } = answer;
  const evidence = describeStatus(answer);
  if (status === 500) {
    const detail =
      'The upstream answered 500 to the login: a wrong credential or a fault of its own. Check the credential there.';
    return { ...failure('upstream_login_ambiguous', 'ambiguous_login', detail), evidence };
  }
  const failed = createStatusFailure(answer);
  if (failed !== undefined || status < 400) return failed;
  const detail = `The upstream answered ${status} to the login. Check \`baseUrl\` and the paths, and whether a firewall is in the way.`;
  return { ...failure('upstream_invalid_response', 'unknown', detail), evidence };
}

/**
 * Creates the failure for an API address in an answer that is none of the provider's `hosts`; `consequence` is a
 * sentence without its stop.
 */
export function createMisledFailure(consequence: string): UpstreamFailure {
  const detail = `The upstream's login named an address for its API that the provider does not name. ${consequence}.`;
  return { ...failure('upstream_invalid_response', 'unknown', detail), evidence: "the API's address in the answer" };
}

/** A failure after other requests of the same chain: they were answered, so the upstream may have counted a login. */
export function countAsLogin(failed: UpstreamFailure): UpstreamFailure {
  return failed.backOff === 'not_judged' ? { ...failed, backOff: 'unknown' } : failed;
}

/** The failure of a secret that no login can be made with; `problem` is in words that hold nothing of it. */
export function createSecretFailure(connection: Pick<Connection, 'name'>, problem: string): UpstreamFailure {
  return failure(
    'secret_invalid',
    'not_judged',
    `The secret of the connection ${connection.name} ${problem}. Nothing was sent; put a mended version into the secret.`,
  );
}
