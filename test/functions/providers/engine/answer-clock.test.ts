import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { type Answer, answeredBy, connectionOf, failureIn, secretOf } from '../provider-harness.ts';

const HOUR_MS = 3_600_000;
const credential = secretOf({ apiKey: 'key', username: 'user', password: 'secret' });

async function login(answer: Answer, { provider = 'community-web-api', subject = 'system', wait = '120' } = {}) {
  const { upstream } = answeredBy({ ...answer, headers: { 'retry-after': [wait] } });
  const connection = connectionOf(provider, 'https://upstream.example');
  return failureIn(await upstream.login({ connection, subject, secret: credential, timeoutMs: 1 }));
}

async function slide(answer: Answer) {
  const { upstream } = answeredBy({ ...answer, headers: { 'retry-after': ['120'] } });
  const settings = { keepAlivePath: '/ping' };
  const connection = connectionOf('community-web-api', 'https://upstream.example', { settings });
  const plain = { values: {}, closed: undefined, secret: undefined };
  const token = new Secret('t');
  return failureIn(await upstream.renew({ ...plain, connection, subject: 'system', token, timeoutMs: 1 }));
}

describe('Retry-After of a login', () => {
  it.each<[string, Answer]>([
    ...[307, 404, 409, 423, 429, 500, 501, 502, 503, 504].map((status): [string, Answer] => [`${status}`, { status }]),
    ['a 403 that says locked', { status: 403, body: '{"Message":"Account locked."}' }],
    ['a 200 that says locked', { body: '{"Success":false,"Message":"Account locked."}' }],
    ['a 200 without a token', { body: '{}' }],
    ['a web page', { body: '<html>' }],
    ['an empty token', { body: '{"authToken":""}' }],
  ])('counts with %s', async (_, answer) => {
    expect((await login(answer)).retryAfterMs).toBe(120_000);
  });

  it.each([400, 403, 404])('counts with a %s that refuses a staff member (H10)', async (status) => {
    const body = '{"success":false,"failMessage":"No such staff member."}';
    const failed = await login({ status, body }, { provider: 'helpmaster', subject: '7' });
    expect(failed).toMatchObject({ code: 'upstream_subject_rejected', retryAfterMs: 120_000 });
  });

  it.each<Answer>([{ status: 401 }, { status: 403 }, { status: 400, body: '<html>' }, { status: 403, body: '{}' }])(
    'counts with %j, since a firewall may be in the way',
    async (answer) => {
      expect(await login(answer)).toMatchObject({ code: 'upstream_login_ambiguous', retryAfterMs: 120_000 });
    },
  );

  it('counts for an hour at the most, whatever the status', async () => {
    for (const status of [423, 500, 502]) {
      expect((await login({ status }, { wait: '99999999' })).retryAfterMs).toBe(HOUR_MS);
    }
  });

  it.each<Answer>([
    { status: 400, body: '{"Message":"No."}' },
    { status: 401, body: '{"error":"invalid_client"}' },
    { status: 403, body: '{"Success":false,"Message":"No."}' },
    { body: '{"Success":false,"Message":"No."}' },
    { body: '{"error":"invalid_grant"}' },
  ])('counts with %j, which is no refusal for good then', async (answer) => {
    const failed = await login(answer);
    expect(failed).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'unknown', retryAfterMs: 120_000 });
    expect(failed.evidence).toMatch(/Retry-After/);
    expect(failed.detail).toContain('says when to come back');
  });

  it("does not count with a refusal by a provider's own rule: a new version of the secret is tried within 10 s", async () => {
    const body = '{"responseStatus":"FAILURE","errors":[{"type":"USERNAME_OR_PASSWORD_INCORRECT"}]}';
    const failed = await login({ body }, { provider: 'veeva-vault' });
    expect(failed).toMatchObject({ backOff: 'refused' });
    expect(failed).not.toHaveProperty('retryAfterMs');
  });
});

describe('Retry-After of a slide', () => {
  it.each([302, 401, 403, 404, 423, 429, 500, 502, 503, 504])('counts with %s', async (status) => {
    expect((await slide({ status })).retryAfterMs).toBe(120_000);
  });
});

describe('Retry-After', () => {
  const at = (ms: number) => new Date(ms).toUTCString();
  const now = 1_800_000_000_000;
  const partsOf = (ms: number) => at(ms).replace(',', '').split(' ');
  const rfc850 = (ms: number) => {
    const [day = '', date, month, year = '', time] = partsOf(ms);
    const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
    return `${days.find((name) => name.startsWith(day))}, ${date}-${month}-${year.slice(2)} ${time} GMT`;
  };
  const asctime = (ms: number) => {
    const [day, date = '', month, year, time] = partsOf(ms);
    return `${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`;
  };

  it.each<[string, Record<string, string[]>, number | undefined]>([
    ['seconds', { 'retry-after': ['7'] }, 7_000],
    ['no wait at all', { 'retry-after': ['0'] }, 0],
    ['more than an hour', { 'retry-after': ['99999999'] }, HOUR_MS],
    ['a date, by our clock', { 'retry-after': [at(now + 60_000)] }, 60_000],
    ['a date, by the clock of the answer', { 'retry-after': [at(now + 660_000)], date: [at(now + 600_000)] }, 60_000],
    ['a date gone by', { 'retry-after': [at(now - 60_000)] }, 0],
    ['a date far ahead', { 'retry-after': ['Fri, 31 Dec 9999 23:59:59 GMT'] }, HOUR_MS],
    ['a word', { 'retry-after': ['soon'] }, undefined],
    ['a date behind a word', { 'retry-after': [`after ${at(now + 60_000)}`] }, undefined],
    ['a date in another zone', { 'retry-after': [`${at(now + 60_000)}+0100`] }, undefined],
    ['a word and a number', { 'retry-after': ['wait 5'] }, undefined],
    ['less than nothing', { 'retry-after': ['-5'] }, undefined],
    ['a fraction, which rounds up', { 'retry-after': ['1.5'] }, 2_000],
    ['a fraction of nothing', { 'retry-after': ['90.0'] }, 90_000],
    ['two fractions', { 'retry-after': ['1.5.5'] }, undefined],
    ['nothing', { 'retry-after': [''] }, undefined],
    ['one value twice', { 'retry-after': ['7', '7'] }, 7_000],
    ['one value twice, in one line', { 'retry-after': ['7, 7'] }, 7_000],
    ['two values, the longer', { 'retry-after': ['2', '1'] }, 2_000],
    ['a value beside a word', { 'retry-after': ['soon', '2'] }, 2_000],
    ['a date in the form of RFC 850', { 'retry-after': [rfc850(now + 60_000)] }, 60_000],
    ['a date in the form of asctime', { 'retry-after': [asctime(now + 60_000)] }, 60_000],
    [
      'a date by a Date in the form of RFC 850',
      { 'retry-after': [at(now + 660_000)], date: [rfc850(now + 600_000)] },
      60_000,
    ],
    [
      'a date by a Date that came twice',
      { 'retry-after': [at(now + 660_000)], date: [at(now + 600_000), at(now + 600_000)] },
      60_000,
    ],
    [
      'a date beside two Dates that differ, by our clock',
      { 'retry-after': [at(now + 60_000)], date: [at(now), at(now + 1_000)] },
      60_000,
    ],
  ])('of %s', async (_, headers, retryAfterMs) => {
    const { upstream } = answeredBy({ status: 429, headers }, now);
    const connection = connectionOf('helpmaster', 'https://help.example');
    const failed = failureIn(await upstream.login({ connection, subject: 'system', secret: credential, timeoutMs: 1 }));
    expect(failed.retryAfterMs).toBe(retryAfterMs);
  });
});
