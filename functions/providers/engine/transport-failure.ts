import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { HttpFailure, TlsFault } from '../../http/port.ts';
import { failure } from './failures.ts';

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
      return createTlsFailure(fault);
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

/** Faults of a TLS certificate or handshake, each in words and with its remedy. */
const tlsFaults: Readonly<Record<TlsFault, readonly [fault: string, remedy: string]>> = {
  expired: ["The upstream's certificate, or one of its chain, has expired", 'Have it renewed there.'],
  not_yet_valid: ["The upstream's certificate is not valid yet", 'Look at its dates, and at the clock there.'],
  wrong_name: [
    "The upstream's certificate is for another name than the one in `baseUrl`",
    'Use the name that it is for.',
  ],
  self_signed: ["The upstream's certificate is signed by itself", 'Set it as `caCertificate` if that is meant.'],
  unknown_issuer: [
    "The upstream's certificate was issued by an authority that is not trusted, or the intermediate certificates that lead to one are not sent",
    'Set `caCertificate` to the certificate of the authority that issued it.',
  ],
  incomplete_chain: [
    'The upstream does not send the intermediate certificates that lead to an authority',
    'Have it send them, or set `caCertificate` to the one that issued its own.',
  ],
  revoked: ["The upstream's certificate was revoked", 'Have it replaced there.'],
  client_certificate: [
    'The upstream does not take the client certificate, or wants one and was given none',
    'Look at the certificate in the secret, and at what the upstream knows of it.',
  ],
  handshake: [
    'The upstream broke the TLS handshake off',
    'It has no version of TLS or no cipher in common with the broker, which wants TLS 1.2 or later, or it wants a client certificate.',
  ],
  no_tls: ['The upstream does not speak TLS on this port', 'Check the port in `baseUrl`.'],
};

const SOME_TLS_FAULT = [
  "The upstream's TLS certificate or handshake is not valid",
  'Renew the certificate, or set `caCertificate` where a private authority issued it.',
] as const;

function createTlsFailure(fault: TlsFault | undefined): UpstreamFailure {
  const [what, remedy] = fault === undefined ? SOME_TLS_FAULT : tlsFaults[fault];
  const evidence = `t${what.slice(1)}`;
  return { ...failure('upstream_tls_invalid', 'not_judged', `${what}. ${remedy}`), evidence };
}
