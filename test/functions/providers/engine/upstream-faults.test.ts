import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../../../local/demo/community.ts';
import type { DemoUpstream } from '../../../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../../../local/demo/helpmaster.ts';
import type { CommonKnobs } from '../../../../local/demo/knobs.ts';
import { connectionOf, failureIn, realUpstream, secretOf } from '../provider-harness.ts';

type Start = () => Promise<DemoUpstream<CommonKnobs>>;

describe.each<[string, Start, object]>([
  ['helpmaster', startDemoHelpmaster, demoHelpmasterSecret],
  ['community-web-api', startDemoCommunity, demoCommunitySecret],
])('a login to %s that meets', async (provider, start, credential) => {
  const secret = secretOf(credential);
  const demo = await start();
  const normal = demo.knobs();
  afterAll(() => demo.close());

  async function login(knobs: Partial<CommonKnobs>, timeoutMs = 2_000) {
    demo.setKnobs({ ...normal, ...knobs });
    demo.clearLedger();
    const { upstream, sent } = realUpstream();
    const connection = connectionOf(provider, demo.baseUrl);
    const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs });
    expect(sent).toHaveLength(1);
    expect(demo.ledger().logins.length).toBeLessThanOrEqual(1);
    return failureIn(outcome);
  }

  it.each<[string, Partial<CommonKnobs>, string, string]>([
    ['a hang', { hang: true }, 'upstream_timeout', 'unknown'],
    ['a slow drip', { slowDrip: true }, 'upstream_timeout', 'unknown'],
    ['a late answer', { delayLoginMs: 5_000 }, 'upstream_timeout', 'unknown'],
    ['a reset before the request is read', { reset: 'before' }, 'upstream_outcome_unknown', 'unknown'],
    ['a reset after it was read', { reset: 'after' }, 'upstream_outcome_unknown', 'unknown'],
    ['a 500', { loginStatus: 500 }, 'upstream_login_ambiguous', 'ambiguous_login'],
    ['a 502', { loginStatus: 502 }, 'upstream_unavailable', 'unknown'],
    ['a 504', { loginStatus: 504 }, 'upstream_unavailable', 'unknown'],
    ['a web page', { body: 'html' }, 'upstream_invalid_response', 'unknown'],
    ['an empty body', { body: 'empty' }, 'upstream_invalid_response', 'unknown'],
    ['half a document', { body: 'invalid-json' }, 'upstream_invalid_response', 'unknown'],
    ['a body over the cap', { body: 'oversized' }, 'upstream_response_too_large', 'unknown'],
    ['a gzip bomb', { body: 'gzip-bomb' }, 'upstream_response_too_large', 'unknown'],
    ['an empty token', { token: 'empty' }, 'upstream_invalid_response', 'unknown'],
    ['CR LF in a token', { token: 'crlf' }, 'upstream_invalid_response', 'unknown'],
    ['an account locked', { locked: true }, 'upstream_account_locked', 'locked'],
  ])('%s', async (_, knobs, code, backOff) => {
    // Short only for timeouts: a server needs a moment to make a gzip bomb.
    const timeoutMs = code === 'upstream_timeout' ? 300 : 5_000;
    expect(await login(knobs, timeoutMs)).toMatchObject({ code, backOff });
  });

  it.each([429, 503])('a %s, with and without Retry-After', async (loginStatus) => {
    const code = loginStatus === 429 ? 'upstream_throttled' : 'upstream_unavailable';
    const plain = await login({ loginStatus });
    expect(plain).toMatchObject({ code, backOff: 'not_judged' });
    expect(plain.retryAfterMs).toBeUndefined();
    expect((await login({ loginStatus, retryAfter: '120' })).retryAfterMs).toBe(120_000);
  });

  it('a redirect to another host, which never hears of it', async () => {
    const other = await start();
    try {
      const failed = await login({ redirectTo: `${other.baseUrl}/user/getsystemtoken` });
      expect(failed).toMatchObject({ code: 'upstream_redirect', backOff: 'unknown' });
      expect(other.ledger()).toEqual({ logins: [], slides: [], calls: [] });
    } finally {
      await other.close();
    }
  });

  it('nobody there', async () => {
    const gone = await start();
    await gone.close();
    const { upstream } = realUpstream();
    const connection = connectionOf(provider, gone.baseUrl);
    const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs: 2_000 });
    expect(failureIn(outcome)).toMatchObject({ code: 'upstream_unreachable', backOff: 'not_judged' });
  });
});
