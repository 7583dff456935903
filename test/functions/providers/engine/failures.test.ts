import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { type Answer, answeredBy, connectionOf, failureIn, secretOf, tokenIn } from '../provider-harness.ts';

const NOW = 1_800_000_000_000;
const timeoutMs = 1;
const credential = {
  apiKey: 'the-one-key',
  username: 'the-one-user',
  password: 'the-one-password',
  clientId: 'the-one-client',
  clientSecret: 'the-one-secret',
  name: 'the-one-name',
  value: 'the-one-value',
  senderId: 'the-one-sender',
  senderPassword: 'the-senders-password',
  userId: 'the-one-user-id',
  userPassword: 'the-users-password',
};

async function refusedLogin(provider: string, subject: string, answer: Answer) {
  const { upstream } = answeredBy(answer);
  const connection = connectionOf(provider, 'https://upstream.example');
  return failureIn(await upstream.login({ connection, subject, secret: secretOf(credential), timeoutMs }));
}

function slideMeeting(answer: Answer) {
  const { upstream } = answeredBy(answer, NOW);
  const settings = { keepAlivePath: '/ping' };
  const connection = connectionOf('community-web-api', 'https://upstream.example', { settings });
  const plain = { values: {}, closed: undefined, secret: undefined };
  return upstream.renew({ ...plain, connection, subject: 'system', token: new Secret('current'), timeoutMs });
}

describe('the failure of a login tells the operator', () => {
  it.each<[string, string, string, Answer, readonly string[]]>([
    ['the status that refused the credential', 'community-web-api', 'system', { status: 401 }, ['answered 401:']],
    [
      'that a refusal may not be the API’s own',
      'community-web-api',
      'system',
      { status: 403, body: '<html>' },
      ['answered 403', 'firewall', 'tried again'],
    ],
    [
      'that the body refused it, and its words',
      'helpmaster',
      'system',
      { body: '{"success":false,"failMessage":"Unknown key."}' },
      ['refused the login', 'connection desk', 'It said: "Unknown key."', "the connection's secret"],
    ],
    ['which path to check', 'community-web-api', 'system', { status: 404 }, ['answered 404', 'Check `baseUrl`']],
    ['what is wrong with a token', 'helpmaster', '88', { body: '{"token":""}' }, ['token is empty', 'not taken']],
    ['that there was no JSON', 'helpmaster', 'system', { body: '<html>' }, ['nothing that is JSON', '`baseUrl`']],
    ['that there was no token', 'helpmaster', 'system', { body: '{}' }, ['answered without a token', '`baseUrl`']],
    [
      'that nothing was said of the reason',
      'community-web-api',
      'system',
      { body: '{"Success":false,"Message":" "}' },
      ['the login failed', 'does not say why', 'Check the credential there'],
    ],
    [
      'that a token was of another subject',
      'helpmaster',
      '7',
      { body: `{"token":"e30.${Buffer.from('{"userid":8}').toString('base64url')}.s"}` },
      ['of another subject', 'discarded'],
    ],
  ])('%s', async (_, provider, subject, answer, words) => {
    const { detail } = await refusedLogin(provider, subject, answer);
    for (const word of words) expect(detail).toContain(word);
  });

  it.each<[string, Answer]>([
    ['answered 404', { status: 404, body: '{}' }],
    ['answered without a token', { body: '{"token":null}' }],
    ['refused the login', { body: '{"success":false}' }],
  ])('which subject was refused, where the upstream %s (H10)', async (what, answer) => {
    const { code, detail } = await refusedLogin('helpmaster', '7', answer);
    expect(code).toBe('upstream_subject_rejected');
    expect(detail).toBe(`The upstream ${what} for the subject 7. Check that the subject exists there and may log in.`);
  });
});

describe('the failure of a login says what it was judged by', () => {
  it.each<[string, Answer, string]>([
    ['community-web-api', { status: 401 }, 'the status 401 without a body'],
    ['community-web-api', { status: 403, body: '<html>' }, 'the status 403 with a body that is no JSON'],
    ['community-web-api', { status: 403, body: '{}' }, 'the status 403 with JSON of its own shape'],
    [
      'community-web-api',
      { status: 401, headers: { 'retry-after': ['3'] } },
      'the status 401 without a body and with Retry-After',
    ],
    ['community-web-api', { body: '{"Success":false,"Message":"No."}' }, 'the refusal in the body'],
    [
      'community-web-api',
      { status: 400, body: '{"Message":"No."}' },
      'the status 400 with JSON of its own shape, and the refusal in the body',
    ],
    ['community-web-api', { body: '{"Message":"No."}' }, 'a message in place of the token'],
    ['community-web-api', { status: 423 }, 'the status 423 without a body'],
    [
      'oauth-client-credentials',
      { status: 400, body: '{"error":"invalid_scope"}' },
      'the error invalid_scope in the body',
    ],
    ['veeva-vault', { body: '{"responseStatus":"WARNING"}' }, "no rule of the provider's calls the answer a success"],
    ['tableau', { status: 401, body: '{"error":{"code":"401001"}}' }, "what the body says, by the provider's rule 1"],
    ['community-web-api', { status: 406, body: '<html>' }, 'the status 406 with a body that is no JSON'],
    ['oauth-client-credentials', { status: 451 }, 'the status 451 without a body'],
    ['helpmaster', { status: 422, body: '{"message":"No."}' }, 'the status 422 with JSON of its own shape'],
    [
      'community-web-api',
      { status: 429, headers: { 'retry-after': ['30'] } },
      'the status 429 without a body and with Retry-After',
    ],
    ['helpmaster', { status: 500, body: '<html>' }, 'the status 500 with a body that is no JSON'],
    ['sage-intacct-xml', { status: 502, body: '<html>' }, 'the status 502 with a body that is no XML'],
    ['sage-intacct-xml', { status: 403, body: '<a>No.</a>' }, 'the status 403 with XML of its own shape'],
    ['login-json', { status: 302 }, 'the status 302 without a body'],
    ['login-json', { body: '<html>' }, 'no token: the status 200 with a body that is no JSON'],
    ['login-json', { status: 204 }, 'no token: the status 204 without a body'],
    ['login-json', { body: '{"token":""}' }, 'a token that is empty'],
  ])('of %s, to %j: %s', async (provider, answer, evidence) => {
    expect((await refusedLogin(provider, 'system', answer)).evidence).toBe(evidence);
  });

  it('of a user, by the rule of the provider or the lack of a token', async () => {
    const byRule = await refusedLogin('helpmaster', '7', { status: 404, body: '{}' });
    expect(byRule.evidence).toBe("the status 404 with JSON of its own shape, by the provider's rule 2");
    expect((await refusedLogin('helpmaster', '7', { body: '{}' })).evidence).toBe('an answer without a token');
    const token = `e30.${Buffer.from('{"userid":8}').toString('base64url')}.s`;
    const ofOther = await refusedLogin('helpmaster', '7', { body: `{"token":"${token}"}` });
    expect(ofOther.evidence).toBe('the claim userid in the token');
  });
});

describe('a login whose answer fails it', () => {
  const bodies = ['', '<html>', '{}', '{"message":"Forbidden"}'];
  const statuses = Array.from({ length: 200 }, (_, n) => n + 400);

  it.each(['community-web-api', 'oauth-client-credentials-basic'])('says by what, for %s', async (provider) => {
    for (const status of statuses) {
      for (const body of bodies) {
        const { evidence } = await refusedLogin(provider, 'system', { status, body });
        expect(evidence, `${status} ${body}`).toContain(`the status ${status} with`);
      }
    }
  });
});

describe('the failure of a login is not taken for more than it says', () => {
  it('H10: a web page in place of the API refuses no subject', async () => {
    const failed = await refusedLogin('helpmaster', '7', { body: '<html>Sign in</html>' });
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
  });

  it('C12: a blank reason is no reason', async () => {
    const failed = await refusedLogin('community-web-api', 'system', { body: '{"Success":false,"Message":" \\r\\n"}' });
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
  });

  it.each([404, 409, 422])('the word "locked" with a %s locks no account', async (status) => {
    const body = '{"Message":"The record is locked.","failMessage":"The record is locked."}';
    for (const provider of ['helpmaster', 'community-web-api']) {
      expect((await refusedLogin(provider, 'system', { status, body })).code).toBe('upstream_invalid_response');
    }
  });
});

describe('the failure of a slide tells the operator', () => {
  it.each<[string, Answer, readonly string[]]>([
    ['that the token is missing', {}, ['is missing', 'current one is kept', '`keepAlivePath`']],
    ['that it is the old one', { headers: { wfmsgapikey: ['current'] } }, ['is the old one', '`keepAlivePath`']],
    ['that it is empty', { headers: { wfmsgapikey: [''] } }, ['is empty']],
    ['a 401', { status: 401 }, ['401 to the current token']],
    ['a 403', { status: 403 }, ['answered 403', 'may use `keepAlivePath`', 'a firewall']],
    ['another status', { status: 404 }, ['answered 404', 'Check `keepAlivePath`', 'a firewall']],
  ])('%s (C16, C19)', async (_, answer, words) => {
    const { detail, backOff } = failureIn(await slideMeeting(answer));
    for (const word of words) expect(detail).toContain(word);
    expect(backOff).toBe('unknown');
  });

  it.each<[string, Answer]>([
    ['the status 403 with a body that is no JSON', { status: 403, body: '<html>' }],
    ['the status 401 without a body', { status: 401 }],
    ['the status 429 without a body and with Retry-After', { status: 429, headers: { 'retry-after': ['3600'] } }],
    ['the status 500 with JSON of its own shape', { status: 500, body: '{}' }],
    ['the status 302 without a body', { status: 302 }],
    ['the status 423 without a body', { status: 423 }],
  ])('by what it was judged: %s', async (evidence, answer) => {
    expect(failureIn(await slideMeeting(answer)).evidence).toBe(evidence);
  });
});

describe('a slide', () => {
  it.each<[string, Answer, boolean]>([
    ['without a body', { status: 401 }, true],
    ['in JSON', { status: 401, body: '{"Message":"Expired."}' }, true],
    ['in HTML', { status: 401, body: '<html>Blocked</html>' }, false],
    ['that asks to wait', { status: 401, headers: { 'retry-after': ['60'] } }, false],
    ['in JSON that asks to wait', { status: 401, body: '{}', headers: { 'retry-after': ['60'] } }, false],
  ])(
    'is followed by a login after a 401 %s; the token is dead only by the word of the API (C19)',
    async (_, answer, isOver) => {
      const failed = failureIn(await slideMeeting(answer));
      expect(failed.ended).toBe(isOver ? true : undefined);
      expect(failed.unrenewed).toBe(isOver ? undefined : true);
    },
  );

  it("H14, C17: has the upstream's own clock where the answer has it", async () => {
    const headers = { wfmsgapikey: ['next'] };
    expect(tokenIn(await slideMeeting({ headers })).life).toStrictEqual({ seconds: 1200 });
    const dated = await slideMeeting({ headers: { ...headers, date: [new Date(NOW - 600_000).toUTCString()] } });
    expect(tokenIn(dated).life).toStrictEqual({ seconds: 1200, serverDate: NOW - 600_000 });
  });
});

async function loginMeeting(answer: Parameters<typeof answeredBy>[0]) {
  const { upstream, sent } = answeredBy(answer);
  const connection = connectionOf('helpmaster', 'https://help.example');
  const secret = secretOf(credential);
  const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs: 4_321 });
  expect(sent).toHaveLength(1);
  return failureIn(outcome);
}

describe('a login that gets no answer', () => {
  it.each([
    ['dns', false, 'upstream_unreachable', 'not_judged', ['could not be resolved', '`baseUrl`']],
    ['connect', false, 'upstream_unreachable', 'not_judged', ['could not be connected to', '`mint`']],
    ['refused_address', false, 'upstream_unreachable', 'not_judged', ['metadata address', '`baseUrl`', 'DNS entry']],
    ['request', false, 'upstream_unreachable', 'not_judged', ['settings', '`baseUrl`', '`caCertificate`']],
    ['tls', false, 'upstream_tls_invalid', 'not_judged', ['certificate', '`caCertificate`']],
    ['timeout', true, 'upstream_timeout', 'unknown', ['within 4321 ms', 'unknown']],
    ['timeout', false, 'upstream_timeout', 'not_judged', ['within 4321 ms', 'nothing was sent']],
    ['reset', true, 'upstream_outcome_unknown', 'unknown', ['closed the connection', 'unknown']],
    ['reset', false, 'upstream_unreachable', 'not_judged', ['closed the connection before anything was sent']],
    ['too_large', true, 'upstream_response_too_large', 'unknown', ['64 KB', '`baseUrl`']],
    ['protocol', true, 'upstream_invalid_response', 'unknown', ['not HTTP', '`baseUrl`']],
  ] as const)(
    'for %s, sent: %s, backs off as it must and says what to check',
    async (reason, sent, code, backOff, say) => {
      const failed = await loginMeeting({ kind: 'failure', reason, sent });
      expect(failed).toMatchObject({ code, backOff });
      for (const words of say) expect(failed.detail).toContain(words);
    },
  );

  it.each([
    ['expired', "the upstream's certificate, or one of its chain, has expired"],
    ['wrong_name', "the upstream's certificate is for another name than the one in `baseUrl`"],
    ['handshake', 'the upstream broke the TLS handshake off'],
    ['no_tls', 'the upstream does not speak TLS on this port'],
  ] as const)('for %s of TLS, names the fault as evidence', async (fault, evidence) => {
    const failed = await loginMeeting({ kind: 'failure', reason: 'tls', sent: false, fault });
    expect(failed.evidence).toBe(evidence);
    expect(failed.detail.toLowerCase()).toContain(evidence.toLowerCase());
  });
});

describe('a login answered with a status alone', () => {
  it.each([
    [100, 'upstream_invalid_response', 'unknown', 'answered 100'],
    [199, 'upstream_invalid_response', 'unknown', 'answered 199'],
    [300, 'upstream_redirect', 'unknown', 'answered 300, a redirect'],
    [399, 'upstream_redirect', 'unknown', 'Set `baseUrl`'],
    [429, 'upstream_throttled', 'not_judged', 'answered 429'],
    [500, 'upstream_login_ambiguous', 'ambiguous_login', 'answered 500 to the login'],
    [501, 'upstream_unavailable', 'unknown', 'answered 501'],
    [503, 'upstream_unavailable', 'not_judged', 'answered 503'],
    [599, 'upstream_unavailable', 'unknown', 'answered 599'],
    [423, 'upstream_account_locked', 'locked', 'Unlock it there'],
    [404, 'upstream_invalid_response', 'unknown', 'answered 404 to the login'],
  ])('of %s is %s, and says so', async (status, code, backOff, words) => {
    const failed = await loginMeeting({ status });
    expect(failed).toMatchObject({ code, backOff });
    expect(failed.detail).toContain(words);
    expect(failed).not.toHaveProperty('retryAfterMs');
  });
});
