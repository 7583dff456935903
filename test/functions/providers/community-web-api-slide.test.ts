import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../functions/core/words/secret.ts';
import { demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import { answeredBy, connectionOf, failureIn, realUpstream, secretOf, tokenIn } from './provider-harness.ts';

const PROVIDER = 'community-web-api';
const subject = 'system';
const timeoutMs = 2_000;
const secret = secretOf(demoCommunitySecret);
const sliding = { settings: { keepAlivePath: '/SingleRecurringEvent' } };

const demo = await startDemoCommunity();
const normal = demo.knobs();
afterAll(() => demo.close());
beforeEach(() => {
  demo.setKnobs(normal);
  demo.clearLedger();
});

/** Everything beside the token that a slide may use. This provider uses none of it. */
const plain = { values: {}, closed: undefined, secret: undefined };

async function session() {
  const { upstream, sent } = realUpstream();
  const connection = connectionOf(PROVIDER, demo.baseUrl, sliding);
  const begun = await upstream.login({ connection, subject, secret, timeoutMs });
  const token = tokenIn(begun).value;
  return {
    token,
    sent,
    slide: (current = token) => upstream.renew({ ...plain, connection, subject, token: current, timeoutMs }),
  };
}

function slideOn(answer: Parameters<typeof answeredBy>[0]) {
  const { upstream } = answeredBy(answer);
  const connection = connectionOf(PROVIDER, 'https://wfm.example/api', sliding);
  return upstream.renew({ ...plain, connection, subject, token: new Secret('current'), timeoutMs });
}

describe('CommunityWebAPI: a slide', () => {
  it('C20: needs a configured path', () => {
    const { upstream } = realUpstream();
    const renewal = { source: 'slide', needsSecret: false };
    expect(upstream.waysOf(connectionOf(PROVIDER, demo.baseUrl, sliding))).toEqual({ renewal, keepsClosed: false });
    expect(upstream.waysOf(connectionOf(PROVIDER, demo.baseUrl))).toEqual({ keepsClosed: false });
  });

  it('C14, C15: is a GET with the token in its header, and brings another that works', async () => {
    const { token, sent, slide } = await session();
    const slid = tokenIn(await slide());

    expect(sent[1]).toMatchObject({ method: 'GET', url: `${demo.baseUrl}/SingleRecurringEvent` });
    expect(sent[1]?.headers['wfmsgapikey']).toBe(token.reveal());
    expect(sent[1]?.body).toBeUndefined();
    expect(slid.value.reveal()).not.toBe(token.reveal());
    expect(slid.life.seconds).toBe(1200);
    expect(slid.attributes).toBeUndefined();
    tokenIn(await slide(slid.value));
    expect(demo.ledger()).toMatchObject({ logins: [{}], slides: [{}, {}] });
  });

  it('C14: the header is found in any case', async () => {
    expect(tokenIn(await slideOn({ headers: { wfmsgapikey: ['next'] } })).value.reveal()).toBe('next');
  });

  it('C16: one value repeated is one value', async () => {
    demo.setKnobs({ slide: 'repeated' });
    tokenIn(await (await session()).slide());
  });

  it.each(['missing', 'empty', 'conflicting', 'crlf', 'same'] as const)(
    'C16: a header that is %s renews nothing',
    async (knob) => {
      const { slide } = await session();
      demo.setKnobs({ slide: knob });
      const failed = failureIn(await slide());
      expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
      expect(failed.ended).toBeUndefined();
    },
  );

  it.each([
    ['the old token', ['current']],
    ['white space inside and outside', ['\u00a0next']],
    ['two tokens, one of them empty', ['next', '']],
    ['a word for no token', ['null']],
  ])('C16: %s renews nothing', async (_, values) => {
    expect(failureIn(await slideOn({ headers: { wfmsgapikey: values } })).code).toBe('upstream_invalid_response');
  });

  it.each([
    [301, 'upstream_redirect', 'unknown'],
    [403, 'upstream_subject_rejected', 'unknown'],
    [404, 'upstream_invalid_response', 'unknown'],
    [423, 'upstream_invalid_response', 'unknown'],
    [429, 'upstream_throttled', 'not_judged'],
    [500, 'upstream_unavailable', 'unknown'],
    [502, 'upstream_unavailable', 'unknown'],
    [503, 'upstream_unavailable', 'not_judged'],
  ] as const)('C16, C19: %s is %s, and its header is not taken', async (status, code, backOff) => {
    const failed = failureIn(await slideOn({ status, headers: { wfmsgapikey: ['next'] } }));
    expect(failed).toMatchObject({ code, backOff });
    expect(failed.ended).toBeUndefined();
  });

  it('C19: 401 says that the current token is dead, and a token beside it is not taken', async () => {
    const { slide } = await session();
    demo.setKnobs({ revokeIssued: true });
    expect(failureIn(await slide())).toMatchObject({ code: 'upstream_invalid_response', ended: true });
    const failed = failureIn(await slideOn({ status: 401, headers: { wfmsgapikey: ['next'] } }));
    expect(failed.ended).toBe(true);
  });

  it('C18: an outcome that is lost is unknown', async () => {
    const { slide } = await session();
    demo.setKnobs({ reset: 'after' });
    expect(failureIn(await slide())).toMatchObject({ code: 'upstream_outcome_unknown', backOff: 'unknown' });
  });
});
