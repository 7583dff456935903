import { describe, expect, it } from 'vitest';
import { answeredBy, connectionOf, failureIn, secretOf, tokenIn } from '../provider-harness.ts';

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
