import { startVendor, type VendorServer } from './vendor-server.ts';

/** A vendor's server whose logins have a limit. */
export interface LimitingServer extends VendorServer {
  /** Statuses of the logins so far. */
  readonly statuses: readonly number[];
  /** Logs in as somebody else with the same credential. */
  logInElsewhere(): void;
}

const LIFE_SECONDS = { marketo: 3_600, toast: 86_400, tableau: 7_200 };

/**
 * Starts Marketo's identity service: the same token until its end, and `expires_in` is what remains of it; and its API.
 */
export async function startMarketo({ id, secret }: { readonly id: string; readonly secret: string }) {
  const logins: string[] = [];
  const statuses: number[] = [];
  let current = { token: '', endsAt: 0 };

  function issue() {
    if (Date.now() >= current.endsAt) {
      current = { token: `cdf01657-${logins.length}:ab`, endsAt: Date.now() + LIFE_SECONDS.marketo * 1000 };
    }
    const expires_in = Math.floor((current.endsAt - Date.now()) / 1000);
    return { access_token: current.token, token_type: 'bearer', expires_in, scope: 'apis@acme.com' };
  }

  const server = await startVendor(logins, ({ url = '', headers }) => {
    const { pathname, searchParams } = new URL(url, 'http://marketo');
    if (pathname !== '/identity/oauth/token') {
      const isGood = headers.authorization === `Bearer ${current.token}` && Date.now() < current.endsAt;
      const errors = [{ code: '602', message: 'Access token expired' }];
      return { status: 200, body: isGood ? { success: true } : { success: false, errors } };
    }
    logins.push('system');
    const isClient = searchParams.get('client_id') === id && searchParams.get('client_secret') === secret;
    statuses.push(isClient ? 200 : 401);
    const error = { error: 'unauthorized', error_description: 'No client with requested id' };
    return isClient ? { status: 200, body: issue() } : { status: 401, body: error };
  });
  return { ...server, statuses, logInElsewhere: () => void issue() } satisfies LimitingServer;
}

/**
 * Starts Toast's authentication: two tokens an hour, counted when the request has come, by `travels` after it was sent.
 * The third is 429, and so is each that follows while two are younger than an hour.
 */
export async function startToast({ id, secret, travels }: { id: string; secret: string; travels(nth: number): void }) {
  const logins: string[] = [];
  const statuses: number[] = [];
  let issuedAt: number[] = [];

  function issue() {
    issuedAt = [...issuedAt.filter((at) => Date.now() - at < 3_600_000), Date.now()];
    if (issuedAt.length > 2) {
      issuedAt.pop();
      return { status: 429, body: { status: 429, code: 10010, message: 'Rate limit exceeded' } };
    }
    const token = {
      tokenType: 'Bearer',
      accessToken: `toast-${logins.length}`,
      expiresIn: LIFE_SECONDS.toast,
      scope: null,
      idToken: null,
      refreshToken: null,
    };
    return { status: 200, body: { '@class': '.SuccessfulResponse', token, status: 'SUCCESS' } };
  }

  const server = await startVendor(logins, ({ url }, body) => {
    if (url?.startsWith('/authentication/v1/authentication/login') !== true) return { status: 404, body: {} };
    travels(logins.length);
    const asked = JSON.parse(body);
    logins.push(new URL(url, 'http://toast').searchParams.get('as') ?? 'system');
    const isClient = asked.clientId === id && asked.clientSecret === secret;
    const answer = isClient ? issue() : { status: 401, body: { status: 401, code: 10010, message: 'Unauthorized' } };
    statuses.push(answer.status);
    return answer;
  });
  return { ...server, statuses, logInElsewhere: () => void issue() } satisfies LimitingServer;
}

/** Starts Tableau's sign-in by a personal access token: a second session ends the first; and its API. */
export async function startTableau({ name, value }: { readonly name: string; readonly value: string }) {
  const logins: string[] = [];
  const statuses: number[] = [];
  let session = { token: '', endsAt: 0 };
  let sessions = 0;

  function signIn() {
    sessions += 1;
    session = { token: `HvZMqFFfQQmOM4L-${sessions}|5fzy`, endsAt: Date.now() + LIFE_SECONDS.tableau * 1000 };
    return { credentials: { site: { id: '9a8b', contentUrl: '' }, user: { id: '9f9e' }, token: session.token } };
  }

  const server = await startVendor(logins, ({ url = '', headers }, body) => {
    if (url !== '/api/3.27/auth/signin') {
      const isGood = headers['x-tableau-auth'] === session.token && Date.now() < session.endsAt;
      const error = { summary: 'Unauthorized Access', detail: 'Invalid authentication credentials.', code: '401002' };
      return isGood ? { status: 200, body: { views: {} } } : { status: 401, body: { error } };
    }
    const { credentials } = JSON.parse(body);
    logins.push('system');
    const isKnown = credentials.personalAccessTokenName === name && credentials.personalAccessTokenSecret === value;
    statuses.push(isKnown ? 200 : 401);
    const error = { summary: 'Signin Error', detail: 'Error signing in to Tableau Cloud', code: '401001' };
    return isKnown ? { status: 200, body: signIn() } : { status: 401, body: { error } };
  });
  return { ...server, statuses, logInElsewhere: () => void signIn() } satisfies LimitingServer;
}
