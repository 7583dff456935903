import { describe, expect, it } from 'vitest';
import { demoHelpmasterSecret } from '../../../../local/demo/helpmaster.ts';
import { answeredBy, connectionOf, failureIn, secretOf } from '../provider-harness.ts';

const timeoutMs = 4_321;

async function loginMeeting(answer: Parameters<typeof answeredBy>[0]) {
  const { upstream, sent } = answeredBy(answer);
  const connection = connectionOf('helpmaster', 'https://help.example');
  const secret = secretOf(demoHelpmasterSecret);
  const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs });
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
