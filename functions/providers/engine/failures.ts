import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { BackOffKind } from '../../core/slot/back-off.ts';
import type { Connection } from '../../core/slot/connection.ts';
import type { BrokerErrorCode } from '../../core/words/errors.ts';
import type { HttpFailure, TlsFault } from '../../http/port.ts';

/** A failed attempt as a value; `detail` is for the caller and quotes nothing. */
export function failure(code: BrokerErrorCode, backOff: BackOffKind, detail: string): UpstreamFailure {
  return { kind: 'failure', code, backOff, detail };
}

/** Builds the failure of a request without an answer. Only one that was surely not sent may soon be tried again. */
export function createTransportFailure({ reason, sent, fault }: HttpFailure, timeoutMs: number): UpstreamFailure {
  switch (reason) {
    case 'dns':
      return failure(
        'upstream_unreachable',
        'not_judged',
        "The name in the connection's `baseUrl` could not be resolved. Check it, and the network that `mint` runs in.",
      );
    case 'connect':
      return failure(
        'upstream_unreachable',
        'not_judged',
        'The upstream could not be connected to. Check that it is up, and reachable from the network that `mint` runs in.',
      );
    case 'refused_address':
      return failure(
        'upstream_unreachable',
        'not_judged',
        "The connection's `baseUrl` leads to a link-local or metadata address, which is never called. Check the name's DNS entry.",
      );
    case 'request':
      return failure(
        'upstream_unreachable',
        'not_judged',
        "The request could not be made out of the connection's settings. Check `baseUrl`, the paths and `caCertificate`.",
      );
    case 'tls':
      return failure('upstream_tls_invalid', 'not_judged', describeTlsFault(fault));
    case 'timeout':
      return failure(
        'upstream_timeout',
        sent ? 'unknown' : 'not_judged',
        sent
          ? `The upstream did not answer within ${timeoutMs} ms. Whether it took the request is unknown.`
          : `No connection to the upstream within ${timeoutMs} ms; nothing was sent.`,
      );
    case 'reset':
      return sent
        ? failure(
            'upstream_outcome_unknown',
            'unknown',
            'The upstream closed the connection before it had answered. Whether it took the request is unknown.',
          )
        : failure('upstream_unreachable', 'not_judged', 'The upstream closed the connection before anything was sent.');
    case 'too_large':
      return failure(
        'upstream_response_too_large',
        'unknown',
        "The body of the upstream's answer is larger than 64 KB. Check that `baseUrl` and the paths lead to its API.",
      );
    case 'head_too_large':
      return failure(
        'upstream_response_too_large',
        'unknown',
        "The head of the upstream's answer, its status line and headers, is larger than 64 KB. Check what sets headers there.",
      );
    case 'protocol':
      return failure(
        'upstream_invalid_response',
        'unknown',
        'The upstream answered with something that is not HTTP. Check `baseUrl` and its port.',
      );
  }
}

/** What is wrong with a TLS certificate or handshake, and the remedy. */
const tlsFaults: Readonly<Record<TlsFault, string>> = {
  expired: "The upstream's certificate, or one of its chain, has expired. Have it renewed there.",
  not_yet_valid: "The upstream's certificate is not valid yet. Look at its dates, and at the clock there.",
  wrong_name: "The upstream's certificate is for another name than the one in `baseUrl`. Use the name that it is for.",
  self_signed: "The upstream's certificate is signed by itself. Set it as `caCertificate` if that is meant.",
  unknown_issuer:
    "The upstream's certificate was issued by an authority that is not trusted, or the intermediate certificates that lead to one are not sent. Set `caCertificate` to the certificate of the authority that issued it.",
  incomplete_chain:
    'The upstream does not send the intermediate certificates that lead to an authority. Have it send them, or set `caCertificate` to the one that issued its own.',
  revoked: "The upstream's certificate was revoked. Have it replaced there.",
  client_certificate:
    'The upstream does not take the client certificate, or wants one and was given none. Look at the certificate in the secret, and at what the upstream knows of it.',
  handshake:
    'The upstream broke the TLS handshake off: it has no version of TLS or no cipher in common with the broker, which wants TLS 1.2 or later, or it wants a client certificate.',
  no_tls: 'The upstream does not speak TLS on this port. Check the port in `baseUrl`.',
};

function describeTlsFault(fault: TlsFault | undefined): string {
  if (fault !== undefined) return tlsFaults[fault];
  return "The upstream's TLS certificate or handshake is not valid. Renew the certificate, or set `caCertificate` where a private authority issued it.";
}

/**
 * The failure that a status alone makes, at login and slide alike: redirect, throttling, faults of the server, and
 * whatever is neither an answer nor a refusal. Undefined for 2xx and 4xx other than 429.
 */
export function createStatusFailure({ status }: { readonly status: number }): UpstreamFailure | undefined {
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
export function createLoginStatusFailure(answer: { readonly status: number }): UpstreamFailure | undefined {
  const { status } = answer;
  if (status === 500) {
    return failure(
      'upstream_login_ambiguous',
      'ambiguous_login',
      'The upstream answered 500 to the login: a wrong credential or a fault of its own. Check the credential there.',
    );
  }
  const failed = createStatusFailure(answer);
  if (failed !== undefined || status < 400) return failed;
  return failure(
    'upstream_invalid_response',
    'unknown',
    `The upstream answered ${status} to the login. Check \`baseUrl\` and the paths.`,
  );
}

/** An API's address in an answer that is none of the provider's `hosts`; `consequence` is a sentence without its stop. */
export function createMisledFailure(consequence: string): UpstreamFailure {
  const detail = `The upstream's login named an address for its API that the provider does not name. ${consequence}.`;
  return failure('upstream_invalid_response', 'unknown', detail);
}

/** An account that the upstream has locked. */
export function createLockedFailure(): UpstreamFailure {
  return failure(
    'upstream_account_locked',
    'locked',
    'The upstream says that the account is locked. Unlock it there; it is left alone for half an hour.',
  );
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
