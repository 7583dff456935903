import { describe, expect, it } from 'vitest';
import type { Provider, Rule, Step, SubjectKind } from '../../../../functions/core/slot/provider.ts';
import { parseAnswer } from '../../../../functions/providers/engine/answer.ts';
import { isAboutUser, judgeAnswer, judgeWithoutToken } from '../../../../functions/providers/engine/judge.ts';
import { body as inBody } from '../../../../functions/providers/provider.ts';
import {
  type Answer,
  answeredBy,
  connectionOf,
  failureIn,
  providerWith,
  secretOf,
  tokenIn,
} from '../provider-harness.ts';

const secret = secretOf({ username: 'svc.api', password: 'hunter2-and-more', apiKey: 'key-key-key' });

async function loginTo(body: string, { provider = 'community-web-api', subject = 'system', status = 200 } = {}) {
  const { upstream } = answeredBy({ status, body });
  const connection = connectionOf(provider, 'https://upstream.example/api');
  return upstream.login({ connection, subject, secret, timeoutMs: 1_000 });
}

async function refusalTo(...answer: Parameters<typeof loginTo>) {
  return failureIn(await loginTo(...answer));
}

describe('a login refused with 200 in another shape than the documented one', () => {
  it.each([
    ['camel case', '{"success":false,"message":"The password is not valid."}'],
    ['upper case', '{"SUCCESS":false,"MESSAGE":"The password is not valid."}'],
    ['the envelope', '{"Data":{"Success":false,"Message":"The password is not valid."}}'],
    ['camel case in the envelope', '{"data":{"success":false,"message":"The password is not valid."}}'],
    ['the flag in the envelope alone', '{"Message":"The password is not valid.","Data":{"Success":false}}'],
    ['the message in the envelope alone', '{"Success":false,"Data":{"Message":"The password is not valid."}}'],
    [
      'an empty message beside the one',
      '{"Success":false,"Message":" ","Data":{"Message":"The password is not valid."}}',
    ],
    [
      'an envelope that says no inside one that says yes',
      '{"Success":true,"Data":{"success":false,"Message":"The password is not valid."}}',
    ],
    ['a message alone', '{"Message":"The password is not valid."}'],
    ['a message alone in camel case', '{"message":"The password is not valid."}'],
    ['a message alone in the envelope', '{"Data":{"Message":"The password is not valid."}}'],
    ['a message and an empty token', '{"authToken":"","Message":"The password is not valid."}'],
    ['one flag that says no', '{"Success":true,"success":false,"Message":"The password is not valid."}'],
  ])('C12: by %s is the credential, which is not tried again', async (_, body) => {
    const failed = await refusalTo(body);
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
    expect(failed.detail).toContain('It said: "The password is not valid."');
  });

  it.each([
    '{"success":false,"message":"Account is locked."}',
    '{"Message":"Account is locked."}',
    '{"Data":{"Success":false,"Message":"Account is locked."}}',
    '{"Success":false,"Message":"Login failed.","Data":{"message":"You are locked out"}}',
  ])('C12: %s is a locked account', async (body) => {
    expect(await refusalTo(body)).toMatchObject({ code: 'upstream_account_locked', backOff: 'locked' });
    expect(await refusalTo(body, { status: 401 })).toMatchObject({
      code: 'upstream_account_locked',
      backOff: 'locked',
    });
  });

  it.each([
    '{"success":false}',
    '{"Data":{"Success":false,"Message":null}}',
    '{"Data":{"Success":false,"authToken":"t"}}',
    '{"success":false,"authToken":"t","message":""}',
  ])('C5: %s says no, and not why: no token, and no word on the credential', async (body) => {
    expect(await refusalTo(body)).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
  });

  it.each([
    '{"data":{"authToken":"abc"},"message":"Welcome"}',
    '{"AuthToken":"abc","Message":"Login successful"}',
    '{"Success":true,"Message":"Done"}',
    '{"success":true,"data":{"message":"Done"}}',
    '{"Message":" "}',
    '{"Message":7}',
    '{"authToken":"a\\r\\nb","Message":"Welcome"}',
  ])('C12: %s refuses nothing, and is no answer either', async (body) => {
    expect(await refusalTo(body)).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
  });

  it('C12: repeats no credential', async () => {
    const { code, detail } = await refusalTo('{"success":false,"message":"svc.api|hunter2-and-more is not valid"}');
    expect(code).toBe('upstream_credential_rejected');
    expect(detail).not.toContain('It said');
  });

  it('C5: a message beside a token refuses nothing', async () => {
    for (const body of ['{"Data":{"authToken":"t"},"Message":"Welcome"}', '{"authToken":"t","message":"Welcome"}']) {
      expect(tokenIn(await loginTo(body)).value.reveal()).toBe('t');
    }
  });

  it('H19: counts for HelpMaster too, for a staff member as the subject alone', async () => {
    const body = '{"Success":false,"FailMessage":"No such user."}';
    expect(await refusalTo(body, { provider: 'helpmaster' })).toMatchObject({ code: 'upstream_credential_rejected' });
    const staff = await refusalTo(body, { provider: 'helpmaster', subject: '88' });
    expect(staff).toMatchObject({ code: 'upstream_subject_rejected', backOff: 'unknown' });
    expect(staff.detail).toContain('It said: "No such user."');
  });
});

const login: Step = { url: '/login', reads: { token: inBody('token') } };
const userLogin: Step = { url: '/users/{subject}', reads: { token: inBody('token') } };
const refusal = { flag: 'success', message: 'why' };

async function judge(change: Partial<Provider>, answer: Answer, kind: SubjectKind = 'system') {
  const provider = providerWith(change);
  const step = kind === 'user' ? userLogin : login;
  const { status = 200, headers = {}, body = '' } = answer;
  const response = { kind: 'response', status, headers, body: Buffer.from(body) } as const;
  const parsed = await parseAnswer(response, step, 0);
  const asked = { provider, step, kind };
  return (await judgeAnswer(asked, parsed)) ?? (status < 300 ? judgeWithoutToken(asked, parsed) : undefined);
}

async function meaningOf(...given: Parameters<typeof judge>) {
  return (await judge(...given))?.means;
}

const wait = { 'retry-after': ['3'] };

describe('the evidence of a refusal', () => {
  it.each<[string, Answer, string | undefined]>([
    ['401 without a body', { status: 401 }, 'credential'],
    ['401 with blanks for a body', { status: 401, body: ' \r\n' }, 'credential'],
    ['401 without a body that asks to wait', { status: 401, headers: wait }, 'unclear'],
    ['400 without a body', { status: 400 }, 'unclear'],
    ['403 without a body', { status: 403 }, 'unclear'],
    ['401 in HTML', { status: 401, body: '<html>' }, 'unclear'],
    ['403 in HTML', { status: 403, body: '<html>' }, 'unclear'],
    ['400 in HTML', { status: 400, body: '<html>' }, 'unclear'],
    ['401 in words', { status: 401, body: 'Unauthorized' }, 'unclear'],
    ['JSON of another shape', { status: 401, body: '{"message":"Forbidden"}' }, 'unclear'],
    ['JSON that is no object', { status: 403, body: '"Forbidden"' }, 'unclear'],
    ['an error that no RFC names', { status: 403, body: '{"error":"forbidden"}' }, 'unclear'],
    ['an error of RFC 6749', { status: 403, body: '{"error":"invalid_client"}' }, 'credential'],
    ['one that asks to wait', { status: 400, body: '{"error":"invalid_client"}', headers: wait }, 'unclear'],
    ['423', { status: 423, body: '<html>' }, 'locked'],
    ['404', { status: 404 }, undefined],
    ['429', { status: 429 }, undefined],
    ['500', { status: 500 }, undefined],
    ['a token', { body: '{"token":"t"}' }, undefined],
    ['a word in a 200', { body: '{"why":"No."}' }, undefined],
  ])('of a provider without words of its own: %s', async (_, answer, means) => {
    expect(await meaningOf({}, answer)).toBe(means);
  });

  it.each<[string, Answer, string | undefined, string | undefined]>([
    ['a flag and why in a 200', { body: '{"success":false,"why":"No."}' }, 'credential', 'subject'],
    ['a flag alone in a 200', { body: '{"success":false}' }, 'unusable', 'subject'],
    ['a no in text beside a token', { body: '{"success":"False","why":"No.","token":"t"}' }, 'credential', 'subject'],
    ['a yes that is a text, and why', { body: '{"success":"true","why":"Hello."}' }, undefined, undefined],
    ['why alone in a 200', { body: '{"why":"No."}' }, 'credential', 'subject'],
    ['a flag in a 401', { status: 401, body: '{"success":false}' }, 'credential', 'subject'],
    ['why in a 400', { status: 400, body: '{"why":"No."}' }, 'credential', 'subject'],
    ['why in a 403 that asks to wait', { status: 403, body: '{"why":"No."}', headers: wait }, 'unclear', 'subject'],
    ['why alone in a 200 that asks to wait', { body: '{"why":"No."}', headers: wait }, 'unclear', 'subject'],
    ['why by another name in a 403', { status: 403, body: '{"Why":"Forbidden"}' }, 'unclear', 'unclear'],
    [
      'why by another name, and a flag',
      { status: 403, body: '{"Success":false,"Why":"No."}' },
      'credential',
      'subject',
    ],
    ['a blank in a 403', { status: 403, body: '{"why":" "}' }, 'unclear', 'unclear'],
    ['a lock in a 403', { status: 403, body: '{"why":"It is locked."}' }, 'locked', 'locked'],
    ['a lock in a 200', { body: '{"success":false,"why":"It is locked."}' }, 'locked', 'locked'],
    ['a flag in a 404', { status: 404, body: '{"success":false,"why":"No."}' }, undefined, undefined],
    ['a flag in a 500', { status: 500, body: '{"success":false,"why":"No."}' }, undefined, undefined],
    ['a flag in a 429', { status: 429, body: '{"success":false,"why":"No."}' }, undefined, undefined],
    ['a yes and why', { body: '{"success":true,"why":"Hello."}' }, undefined, undefined],
    ['why beside a token', { body: '{"Token":"t","why":"Hello."}' }, undefined, undefined],
    ['401 without a body', { status: 401 }, 'credential', 'credential'],
  ])('in the provider’s own shape, of the system and of a user: %s', async (_, answer, ofSystem, ofUser) => {
    expect(await meaningOf({ refusal }, answer)).toBe(ofSystem);
    expect(await meaningOf({ refusal }, answer, 'user')).toBe(ofUser);
  });

  it.each<[string, Answer, string]>([
    ['without a body', { status: 403 }, 'credential'],
    ['in HTML', { status: 403, body: '<html>' }, 'unclear'],
    ['in JSON of another shape', { status: 403, body: '{"message":"Forbidden"}' }, 'unclear'],
    ['that asks to wait', { status: 403, headers: wait }, 'unclear'],
    ['in the provider’s own shape', { status: 403, body: '{"success":false,"why":"No."}' }, 'credential'],
    ['in its own shape, asking to wait', { status: 403, body: '{"why":"No."}', headers: wait }, 'unclear'],
    ['with an error of RFC 6749', { status: 403, body: '{"error":"access_denied"}' }, 'unclear'],
    ['of RFC 6749, asking to wait', { status: 403, body: '{"error":"invalid_client"}', headers: wait }, 'unclear'],
    ['with an error of RFC 6749 that is known', { status: 403, body: '{"error":"invalid_scope"}' }, 'credential'],
  ])('by a rule that reads the status alone: 403 %s', async (_, answer, means) => {
    const answers: Rule[] = [{ status: [403], means: 'credential' }];
    expect(await meaningOf({ refusal, answers }, answer)).toBe(means);
  });

  it.each<[string, Answer, string]>([
    ['without a body', { status: 404 }, 'subject'],
    ['in any JSON', { status: 404, body: '{"message":"Not Found"}' }, 'subject'],
    ['in HTML', { status: 404, body: '<html>' }, 'unclear'],
    ['that asks to wait', { status: 404, body: '{}', headers: wait }, 'unclear'],
  ])('stops one user by a rule that reads the status alone: 404 %s', async (_, answer, means) => {
    const answers: Rule[] = [{ of: 'user', status: [404], means: 'subject' }];
    expect(await meaningOf({ answers }, answer, 'user')).toBe(means);
  });

  it.each(['throttled', 'session_limit', 'misconfigured', 'unavailable', 'unusable', 'locked'] as const)(
    'is not asked of a rule that stops nothing for good: %s',
    async (means) => {
      const answers: Rule[] = [{ status: [403], means }];
      expect(await meaningOf({ answers }, { status: 403, body: '<html>', headers: wait })).toBe(means);
    },
  );
});

describe('a rule of the provider', () => {
  const rule = (change: Partial<Rule>): Partial<Provider> => ({ answers: [{ means: 'session_limit', ...change }] });

  it.each<[string, Partial<Rule>, Answer, boolean]>([
    ['a status', { status: [400, 409] }, { status: 409 }, true],
    ['another status', { status: [400, 409] }, { status: 410 }, false],
    ['a value', { at: inBody('code'), is: [7, '7'] }, { body: '{"code":"7"}' }, true],
    ['another value', { at: inBody('code'), is: [7] }, { body: '{"code":8}' }, false],
    ['a value of another type', { at: inBody('code'), is: [7] }, { body: '{"code":"7"}' }, false],
    ['a flag', { at: inBody('ok'), is: [false] }, { body: '{"ok":false}' }, true],
    ['any value', { at: inBody('error', 'code') }, { body: '{"error":{"code":0}}' }, true],
    ['no value', { at: inBody('error', 'code') }, { body: '{"error":{"code":null}}' }, false],
    ['a value and a status', { status: [400], at: inBody('code'), is: [7] }, { status: 400, body: '{"code":7}' }, true],
    ['a value with another status', { status: [400], at: inBody('code'), is: [7] }, { body: '{"code":7}' }, false],
    ['a header', { at: { in: 'header', name: 'X-Why' }, is: ['full'] }, { headers: { 'x-why': ['full'] } }, true],
    ['a text', { at: { in: 'text' }, is: ['FULL'] }, { status: 400, body: 'FULL' }, true],
    ['a web page', { at: { in: 'text' } }, { status: 400, body: '<html>' }, false],
    ['its kind of subject', { of: 'system', status: [400] }, { status: 400, body: '{}' }, true],
    ['another kind of subject', { of: 'user', status: [404] }, { status: 404 }, false],
  ])('that reads %s fits or not', async (_, change, answer, fits) => {
    const means = await meaningOf(rule(change), answer);
    if (fits) expect(means).toBe('session_limit');
    else expect(means).not.toBe('session_limit');
  });

  it('decides where it is the first that fits', async () => {
    const answers: Rule[] = [
      { at: inBody('code'), is: [1], means: 'throttled' },
      { at: inBody('code'), means: 'session_limit' },
      { status: [400], means: 'unavailable' },
    ];
    expect(await meaningOf({ answers }, { status: 400, body: '{"code":1}' })).toBe('throttled');
    expect(await meaningOf({ answers }, { status: 400, body: '{"code":2}' })).toBe('session_limit');
    expect(await meaningOf({ answers }, { status: 400, body: '{}' })).toBe('unavailable');
  });

  it('goes before the provider’s refusal, an OAuth error and the status', async () => {
    const answers: Rule[] = [{ at: inBody('code'), means: 'throttled' }];
    const body = '{"code":1,"success":false,"why":"No.","error":"invalid_client"}';
    for (const status of [200, 401, 423]) {
      expect(await meaningOf({ answers, refusal }, { status, body })).toBe('throttled');
    }
  });

  it('says who said so, why and what to do', async () => {
    const answers: Rule[] = [
      { status: [409], at: inBody('code'), is: [7], means: 'session_limit', message: inBody('text'), hint: 'Wait.' },
    ];
    expect(await judge({ answers }, { status: 409, body: '{"code":7,"text":"Full."}' })).toEqual({
      by: 'answers[0]',
      means: 'session_limit',
      evidence: "what the body says, by the provider's rule 1",
      message: 'Full.',
      hint: 'Wait.',
    });
  });

  it('that finds its message makes a status the API’s own word', async () => {
    const answers: Rule[] = [{ status: [403], means: 'credential', message: inBody('text') }];
    expect(await meaningOf({ answers }, { status: 403, body: '{"text":"Key revoked."}' })).toBe('credential');
    expect(await meaningOf({ answers }, { status: 403, body: '{"other":"x"}' })).toBe('unclear');
  });

  it('that finds a lock in its message locks', async () => {
    const answers: Rule[] = [{ at: inBody('text'), means: 'credential', message: inBody('text') }];
    expect(await meaningOf({ answers }, { status: 403, body: '{"text":"Account locked."}' })).toBe('locked');
  });
});

describe('a success that a provider tells by a value', () => {
  const answers: Rule[] = [
    { at: inBody('errno'), is: [0], means: 'ok' },
    { at: inBody('errno'), is: [5], means: 'credential' },
  ];

  it.each<[string, Answer, string | undefined]>([
    ['the value of success', { body: '{"errno":0,"token":"t"}' }, 'ok'],
    ['that value, whatever the status', { status: 500, body: '{"errno":0,"token":"t"}' }, 'ok'],
    ['a value with a rule', { body: '{"errno":5,"token":"t"}' }, 'credential'],
    ['any other value', { body: '{"errno":9,"token":"t"}' }, 'unusable'],
    ['no value', { body: '{"token":"t"}' }, 'unusable'],
    ['no JSON', { body: '<html>' }, 'unusable'],
    ['a failure of its own', { status: 503, body: '{}' }, undefined],
    ['a refusal without a body', { status: 401 }, 'credential'],
  ])('is judged by it: %s', async (_, answer, means) => {
    expect(await meaningOf({ answers }, answer)).toBe(means);
  });
});

it('a verdict names the rule that made it', async () => {
  const answers: Rule[] = [
    { at: inBody('errno'), is: [0], means: 'ok' },
    { status: [409], means: 'locked' },
  ];
  const by = async (...given: Parameters<typeof judge>) => (await judge(...given))?.by;
  expect(await by({ answers }, { status: 409 })).toBe('answers[1]');
  expect(await by({ answers }, { body: '{"errno":0}' })).toBe('answers[0]');
  expect(await by({ answers }, { body: '{}' })).toBe('answers');
  expect(await by({ refusal }, { body: '{"success":false,"why":"No."}' })).toBe('refusal');
  expect(await by({ refusal }, { body: '{"why":"No."}' })).toBe('refusal');
  expect(await by({}, { status: 400, body: '{"error":"invalid_client"}' })).toBe('oauth');
  expect(await by({}, { status: 401 })).toBe('status');
  expect(await by({}, { body: '{"token":"t"}' })).toBeUndefined();
});

describe('a request', () => {
  const about = (step: Step, derived: Provider['derived'] = {}, kind: SubjectKind = 'user') =>
    isAboutUser({ provider: providerWith({ derived }), step, kind });

  it('is about a user where it names the subject, or what is made of it', () => {
    expect(about({ url: '/users/{subject}' })).toBe(true);
    expect(about({ url: '/', json: { id: { number: '{subject}' } } })).toBe(true);
    expect(about({ url: '/', form: { a: '{assertion}' } }, { assertion: { text: '{subject}' } })).toBe(true);
    const chain = { name: { text: '{subject}' }, assertion: { text: '{name}' } } as const;
    expect(about({ url: '/', form: { a: '{assertion}' } }, chain)).toBe(true);
  });

  it('is about no user elsewhere', () => {
    expect(about({ url: '/users/{subject}' }, {}, 'system')).toBe(false);
    expect(about({ url: '/login', form: { id: '{id}' } })).toBe(false);
    expect(about({ url: '/', form: { id: '{id}' } }, { other: { text: '{subject}' } })).toBe(false);
  });
});
