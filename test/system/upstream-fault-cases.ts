import type { CommunityKnobs } from '../../local/demo/community.ts';
import type { HelpmasterKnobs } from '../../local/demo/helpmaster.ts';
import type { OAuthKnobs } from '../../local/demo/oauth.ts';

/** One fault: what the upstream does, and what a caller gets. */
export interface FaultCase {
  readonly name: string;
  readonly subject: string;
  readonly gist: string;
  /** The least and the most of `Retry-After`, in seconds. */
  readonly retryAfter: readonly [number, number];
  /** The number of logins that the upstream saw. */
  readonly logins: number;
  /** The code that callers get right afterwards. Default: `cooldown`. */
  readonly afterwards?: string;
  /** The pattern of the message for the operator. */
  readonly says?: RegExp;
}
/** A fault of HelpMaster. */
export type HelpmasterCase = FaultCase & { readonly knobs: Partial<HelpmasterKnobs> };
/** A fault of the OAuth server; `secret` is what the broker has, where that matters. */
export type OAuthCase = FaultCase & {
  readonly knobs: Partial<OAuthKnobs>;
  readonly secret?: string;
};
/** A fault of CommunityWebAPI; `password` is what the broker has, where that matters. */
export type CommunityCase = FaultCase & {
  readonly knobs: Partial<CommunityKnobs>;
  readonly password?: string;
};

/** Reports whether the upstream is waited for in vain. */
export function isWaitedFor({ gist }: Pick<FaultCase, 'gist'>): boolean {
  return gist === '504 upstream_timeout';
}

/** A second for an upstream that is waited for in vain; the usual time for others, which only a busy machine makes late. */
export function patienceWith(fault: Pick<FaultCase, 'gist'>): { readonly timeoutSeconds?: number } {
  return isWaitedFor(fault) ? { timeoutSeconds: 1 } : {};
}

/** Retry-After of a failure that is not judged: the broker tries again within seconds. */
export const SOON = [1, 1] as const;
const LONG = [29, 30] as const;
const AMBIGUOUS = [59, 60] as const;
const LOCKED = [1799, 1800] as const;
const LOOK = [9, 10] as const;
const REFUSED = '502 upstream_credential_rejected';
const INVALID = '502 upstream_invalid_response';
const UNCLEAR = '502 upstream_login_ambiguous';
const MISCONFIGURED = '502 upstream_request_rejected';
const HOUR = [3599, 3600] as const;
/** Stands for another host, which a test must not be led to. */
export const ELSEWHERE = 'set before the tests';

/** Something in front of the upstream that answers in its place: never the word of the API itself. */
const firewallRows = [
  row('a firewall, 403 in HTML', 'system', { firewall: blocked(403, 'html') }, UNCLEAR, LONG),
  row('a firewall, 401 in HTML', 'system', { firewall: blocked(401, 'html') }, UNCLEAR, LONG),
  row('a firewall, 403 in JSON', 'system', { firewall: blocked(403, 'json') }, UNCLEAR, LONG),
  row('403 with Retry-After', 'system', { firewall: blocked(403, 'json'), retryAfter: '40' }, UNCLEAR, [39, 40]),
];

function blocked(status: number, body: 'html' | 'json') {
  return { status, body, seconds: null };
}

/** H1 to H21 and the faults of any upstream, at HelpMaster's login. */
export const helpmasterCases: readonly HelpmasterCase[] = [
  row('a hang', 'system', { hang: true }, '504 upstream_timeout', LONG),
  row('a slow drip', '88', { slowDrip: true, dripEveryMs: 900 }, '504 upstream_timeout', LONG),
  row('a reset before it read', 'system', { reset: 'before' }, '503 upstream_outcome_unknown', LONG, { logins: 0 }),
  row('a reset after it read', 'system', { reset: 'after' }, '503 upstream_outcome_unknown', LONG),
  row('429', 'system', { loginStatus: 429 }, '503 upstream_throttled', SOON),
  row('429 with Retry-After', '88', { loginStatus: 429, retryAfter: '7' }, '503 upstream_throttled', [6, 7]),
  row('503', '88', { loginStatus: 503 }, '503 upstream_unavailable', SOON),
  row('503 with Retry-After', 'system', { loginStatus: 503, retryAfter: '7' }, '503 upstream_unavailable', [6, 7]),
  row('502', 'system', { loginStatus: 502 }, '503 upstream_unavailable', LONG),
  row('H21: 500 at login', 'system', { loginStatus: 500 }, '502 upstream_login_ambiguous', AMBIGUOUS),
  row('HTML', 'system', { body: 'html' }, INVALID, LONG),
  row('an empty body', '88', { body: 'empty' }, INVALID, LONG),
  row('half a JSON document', 'system', { body: 'invalid-json' }, INVALID, LONG),
  row('a gzip bomb', 'system', { body: 'gzip-bomb' }, '502 upstream_response_too_large', LONG),
  row('a body of 1 MB', '88', { body: 'oversized' }, '502 upstream_response_too_large', LONG),
  row('H5: no token', 'system', { token: 'missing' }, INVALID, LONG),
  row('H10: no token for a staff member', '88', { token: 'missing' }, '502 upstream_subject_rejected', LONG),
  row('H5: an empty token', 'system', { token: 'empty' }, INVALID, LONG),
  row('H5: CR LF in the token', '88', { token: 'crlf' }, INVALID, LONG),
  row('H5: a token that is a number', 'system', { token: 'non-string' }, INVALID, LONG),
  row('H5: a token of 32 KB', 'system', { token: 'oversized' }, INVALID, LONG),
  row('H4: a redirect to another host', '88', { redirectTo: ELSEWHERE }, '502 upstream_redirect', LONG),
  row('H14: a token that has expired at issue', 'system', { expiry: 'past' }, '502 upstream_token_unusable', LONG, {
    says: /clock of the upstream \(skew\)/,
  }),
  row('H16: a suspended key', 'system', { suspended: true }, REFUSED, LOOK, { afterwards: REFUSED }),
  row('H20: a version without getsystemtoken', 'system', { systemTokenSupported: false }, INVALID, LONG, {
    says: /version of HelpMaster does not support system tokens/,
  }),
  row('H10: an unknown PKID, 400', '7', { unknownSubject: 400 }, '502 upstream_subject_rejected', LONG),
  row('H10: a PKID that makes a 401, with a key unproven', '7', { unknownSubject: 401 }, REFUSED, LOOK, {
    afterwards: REFUSED,
  }),
  row('H10: an unknown PKID, 403', '7', { unknownSubject: 403 }, '502 upstream_subject_rejected', LONG),
  row('H10: an unknown PKID, 404', '7', { unknownSubject: 404 }, '502 upstream_subject_rejected', LONG),
  row('H10: an unknown PKID, 500', '7', { unknownSubject: 500 }, '502 upstream_login_ambiguous', AMBIGUOUS),
  row('H10: an unknown PKID, no token', '7', { unknownSubject: 'no-token' }, '502 upstream_subject_rejected', LONG),
  row("H10: somebody else's token", '7', { unknownSubject: 'other-user' }, '502 upstream_subject_mismatch', LONG),
  row('H19: a refusal in a 200', '7', { bodyFailure: true }, '502 upstream_subject_rejected', LONG),
  row('a locked key', 'system', { locked: true }, '502 upstream_account_locked', LOCKED),
  row('423', '88', { loginStatus: 423 }, '502 upstream_account_locked', LOCKED),
  row('another 4xx', '88', { loginStatus: 418 }, INVALID, LONG),
  ...firewallRows,
];

const wrong = { password: 'wrong', afterwards: REFUSED };
/** C1 to C21 and some faults of any upstream, at CommunityWebAPI's login. */
export const communityCases: readonly CommunityCase[] = [
  row('C12: a refusal in a 200', 'system', { failure: 'success-false' }, REFUSED, LOOK, wrong),
  row('C12: a refusal as 400', 'system', { failure: 400 }, REFUSED, LOOK, wrong),
  row('C12: a refusal as 401', 'system', { failure: 401 }, REFUSED, LOOK, wrong),
  row('C12: a refusal as 403', 'system', { failure: 403 }, REFUSED, LOOK, wrong),
  row('C12: a refusal as 500', 'system', { failure: 500 }, '502 upstream_login_ambiguous', AMBIGUOUS, {
    password: 'wrong',
  }),
  row('C12: a refusal that quotes the login', 'system', { echoCredentialInMessage: true }, REFUSED, LOOK, wrong),
  row('C3: a server that wants the query', 'system', { loginTransports: ['query'] }, REFUSED, LOOK, {
    afterwards: REFUSED,
  }),
  row('C4: a server that cuts the password at a pipe', 'system', { pipeSplit: 'all' }, REFUSED, LOOK, {
    password: 'with|pipe',
    afterwards: REFUSED,
  }),
  row('a locked account', 'system', { locked: true }, '502 upstream_account_locked', LOCKED),
  row('C5: no token', 'system', { token: 'missing' }, INVALID, LONG),
  row('C5: an empty token', 'system', { token: 'empty', envelope: false }, INVALID, LONG),
  row('C5: CR LF in the token', 'system', { token: 'crlf' }, INVALID, LONG),
  row('HTML instead of an answer', 'system', { body: 'html' }, INVALID, LONG),
  row('a hang at AuthenticateEx', 'system', { hang: true }, '504 upstream_timeout', LONG),
  row('404 at AuthenticateEx', 'system', { loginStatus: 404 }, INVALID, LONG),
  row('a redirect of the password', 'system', { redirectTo: ELSEWHERE }, '502 upstream_redirect', LONG),
  ...firewallRows,
];

/** RFC 6749 §5.2, and what token endpoints do beside it, at an OAuth server's token endpoint. */
export const oauthCases: readonly OAuthCase[] = [
  row('a wrong secret', 'system', {}, REFUSED, LOOK, { secret: 'another', afterwards: REFUSED }),
  row('unauthorized_client', 'system', { grantTypes: ['refresh_token'] }, REFUSED, LOOK, { afterwards: REFUSED }),
  row('invalid_scope', 'system', { scopes: [] }, MISCONFIGURED, HOUR),
  row('invalid_target', 'system', { error: 'invalid_target' }, MISCONFIGURED, HOUR),
  row('invalid_request', 'system', { error: 'invalid_request' }, MISCONFIGURED, HOUR),
  row('unsupported_grant_type', 'system', { error: 'unsupported_grant_type' }, MISCONFIGURED, HOUR),
  row('slow_down', 'system', { error: 'slow_down', retryAfter: '7' }, '503 upstream_throttled', [6, 7]),
  row('temporarily_unavailable', 'system', { error: 'temporarily_unavailable' }, '503 upstream_unavailable', SOON),
  row('server_error', 'system', { error: 'server_error' }, '503 upstream_unavailable', SOON),
  row('no more tokens in this minute', 'system', { tokensPerMinute: 0 }, '503 upstream_throttled', [59, 60]),
  row(
    'a reason that quotes the client',
    'system',
    { error: 'invalid_client', errorDescription: ':%+ é& of' },
    REFUSED,
    LOOK,
    {
      afterwards: REFUSED,
      says: /^(?!.*:%\+)/,
    },
  ),
  row('a token bound to a key', 'system', { tokenType: 'DPoP' }, INVALID, LONG, { says: /of the type DPoP/ }),
  row('no token', 'system', { token: 'missing' }, INVALID, LONG),
  row('HTML', 'system', { body: 'html' }, INVALID, LONG),
  ...firewallRows,
];

/** Misbehaviour of the upstream that the caller does not notice, and the life of the token. */
export const toleratedCases: readonly (readonly [string, Partial<HelpmasterKnobs>, readonly [number, number]])[] = [
  ['H13: no exp', { expiry: 'never' }, [86_385, 86_395]],
  ['H13: exp in the far future', { expiry: 'far-future' }, [86_385, 86_395]],
  ['H13: exp in milliseconds', { expiry: 'milliseconds' }, [86_385, 86_395]],
  ['H14: a clock ten minutes ahead', { clockOffsetSeconds: 600, lifetimeSeconds: 3_600 }, [3_585, 3_595]],
  // Of the two clocks, the one by which it ends sooner.
  ['H14: a clock ten minutes behind', { clockOffsetSeconds: -600, lifetimeSeconds: 3_600 }, [2_985, 2_995]],
  ['H14: a clock eight hours behind', { clockOffsetSeconds: -28_800, lifetimeSeconds: 3_600 }, [3_585, 3_595]],
  ['H14: a clock eight hours ahead', { clockOffsetSeconds: 28_800, lifetimeSeconds: 3_600 }, [3_585, 3_595]],
  ['H14: no Date', { dateHeader: false, lifetimeSeconds: 3_600 }, [3_585, 3_595]],
];

/** What an OAuth server says of a token's life, and what it is taken for; 900 s where it says so. */
export const toleratedLives: readonly (readonly [string, Partial<OAuthKnobs>, readonly [number, number]])[] = [
  ['expires_in as text', { expiresIn: 'text' }, [885, 895]],
  ['no expires_in', { expiresIn: 'absent' }, [3_585, 3_595]],
  ['expires_in of null', { expiresIn: 'null' }, [3_585, 3_595]],
  ['expires_in that cannot be read', { expiresIn: 'unreadable' }, [3_585, 3_595]],
  ['a type in small letters', { tokenType: 'bearer' }, [885, 895]],
  ['no type', { tokenType: 'absent' }, [885, 895]],
];

/** Writes one fault down; one login is seen unless `more` says otherwise. */
export function row<Knobs, More extends Partial<FaultCase> & { readonly password?: string }>(
  name: string,
  subject: string,
  knobs: Knobs,
  gist: string,
  retryAfter: readonly [number, number],
  more?: More,
) {
  return { name, subject, knobs, gist, retryAfter, logins: 1, ...more };
}

/** The knobs that the faults change, as they are without one. */
export const normalHelpmaster: Readonly<Record<string, unknown>> = {
  hang: false,
  slowDrip: false,
  dripEveryMs: 20,
  reset: 'none',
  loginStatus: null,
  retryAfter: null,
  body: 'normal',
  token: 'normal',
  redirectTo: null,
  expiry: 'normal',
  suspended: false,
  systemTokenSupported: true,
  unknownSubject: 400,
  bodyFailure: false,
  locked: false,
  firewall: null,
};

/** The same for CommunityWebAPI. */
export const normalCommunity: Readonly<Record<string, unknown>> = {
  ...normalHelpmaster,
  failure: 'success-false',
  echoCredentialInMessage: false,
  loginTransports: ['form'],
  pipeSplit: 'first',
  envelope: true,
};

/** The same for the OAuth server. */
export const normalOAuth: Readonly<Record<string, unknown>> = {
  ...normalHelpmaster,
  grantTypes: ['client_credentials'],
  scopes: ['orders.read'],
  error: null,
  errorDescription: null,
  tokensPerMinute: null,
  tokenType: 'Bearer',
};
