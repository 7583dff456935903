/**
 * Remedies for the broker's error codes, one or two sentences each: for the page, for the command line (which has
 * commands of its own for some) and for the API's document. A test checks that the codes here are exactly those of the
 * broker and of its API.
 */
export const remedyByCode = {
  invalid_request: 'Mend the request; the detail says what is wrong with it.',
  invalid_subject: 'Ask for `system`, or for a user as the connection writes them: `token-broker status` says how.',
  subject_not_supported: 'Ask for a kind of subject that this connection serves.',
  min_ttl_unsatisfiable: 'Ask for a shorter `min_ttl`, or again after `refresh_at`.',
  forbidden: 'Sign the request as a principal with a grant, or ask the operator to list the subject.',
  proxy_not_allowed: "Use a method and a path that the connection's `proxy` policy declares.",
  handout_disabled: 'Call the upstream through the proxy: this connection hands out no tokens.',
  not_found: 'Check the path. A connection without a `proxy` has no proxy route.',
  unknown_connection: 'Use a name that `GET /connections` lists.',
  method_not_allowed: 'Use a method that the `Allow` header names.',
  payload_too_large: 'Send a smaller body.',
  unsupported_media_type: 'Send the body with the content type that the route takes.',
  renewal_throttled: 'Use the token, or report it again after `Retry-After`.',
  login_limited: 'Ask again after `Retry-After`: the provider issues so many tokens in a time, and no more.',
  internal: "Look for the request id in the function's log.",
  upstream_credential_rejected:
    'Put the right credential into the secret. The broker looks for a new version every 10 seconds; a purge clears the refusal.',
  reauthorization_required:
    "Consent again at the upstream, and put the new refresh token into the connection's secret. It is tried within 10 seconds.",
  upstream_account_locked: 'Have the account unlocked at the upstream, then purge the slot.',
  upstream_subject_rejected: 'Check that the upstream knows this subject. Only this slot is affected.',
  upstream_login_ambiguous:
    'Look at what answered: a firewall or a rate limit may be in the way, or the API failed, which some do for a wrong password. The broker tries again by itself, seldom.',
  upstream_request_rejected:
    "Nothing that a caller can do: an operator mends the connection's settings and deploys them.",
  upstream_invalid_response: 'Check `baseUrl` and the login path: something other than the expected API answered.',
  upstream_token_unusable: "Compare the upstream's clock and its token lifetime with `minTtlSeconds`.",
  upstream_subject_mismatch: 'The token was discarded. Tell the vendor: it belonged to somebody else.',
  upstream_redirect: 'Set `baseUrl` to where the upstream redirects, if that is where it should be.',
  upstream_tls_invalid: "Renew the upstream's certificate, or name its authority in `caCertificate`.",
  upstream_response_too_large: 'Ask for less at a time, or call the upstream with a token of your own.',
  upstream_throttled: 'Wait: the broker tries again when the upstream lets it.',
  upstream_session_limit: 'Ask again after `Retry-After`, when a session of the account may have ended.',
  upstream_unavailable: 'Wait: the broker tries again by itself. A token that is still good is handed out meanwhile.',
  upstream_unreachable: 'Check `baseUrl`, DNS and the network between. The broker tries again by itself.',
  upstream_outcome_unknown: 'Wait: a login may have counted, so the broker tries again seldom.',
  cooldown: 'Wait for `Retry-After`; `cause`, if there is one, says what failed.',
  refresh_in_progress: 'Ask again after `Retry-After`.',
  secret_unavailable: 'Put a value into the secret, and let the mint function read it.',
  secret_invalid: "Give the secret the members that the connection's provider needs.",
  store_unavailable: 'Look at DynamoDB: throttling, permissions, service health.',
  kms_unavailable: 'Look at the KMS key: its state, its policy, service health.',
  mint_unavailable: 'Look at the mint function: throttling, concurrency, permissions.',
  audit_unavailable: 'Look at the audit table. With `strictAudit` nothing is handed out unrecorded.',
  upstream_timeout:
    'Look at the upstream, or raise `timeoutSeconds`; for a proxied call `proxy.timeoutSeconds`. A login is tried again by itself, a proxied call is not.',
  deadline_exceeded: 'Ask again.',
  signature_invalid: 'Sign the whole URL, `/v1` included, for the region of the API, and set the clock.',
  credentials_expired: 'Get new AWS credentials.',
  rate_limited: 'Ask less often, or have the operator raise `throttle`.',
  timeout: 'Ask again.',
  unavailable: "Ask again; the function's log says what failed.",
} as const satisfies Record<string, string>;

/** Looks up the remedy for a code; undefined for a code that only a newer broker has. */
export function remedyOf(code: string): string | undefined {
  const known: Readonly<Record<string, string>> = remedyByCode;
  return Object.hasOwn(known, code) ? known[code] : undefined;
}
