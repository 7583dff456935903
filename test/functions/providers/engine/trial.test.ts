import { describe, expect, it } from 'vitest';
import { USER_AGENT } from '../../../../functions/http/user-agent.ts';
import { body, type Provider } from '../../../../functions/providers/provider.ts';
import { type Answer, answeredInTurn, connectionOf, failureIn, secretOf, tokenIn } from '../provider-harness.ts';
import { begun, everything, finished, NOW, SECRET, TICKET, TOKEN, tryLogin } from './trial-harness.ts';

describe('a login that is tried', () => {
  it('tells each request with the names of its values, each answer, and what was read', async () => {
    const { outcome, trial, count } = await tryLogin([begun, finished]);
    tokenIn(outcome);
    expect(count).toBe(1);
    expect(trial?.steps).toEqual([
      {
        request: {
          method: 'POST',
          url: 'https://api.example/v1/acme/begin/{user}?p={password}',
          headers: {
            'user-agent': USER_AGENT,
            accept: 'application/json',
            'content-type': 'application/x-www-form-urlencoded',
            authorization: 'Basic base64({user}:{password})',
            'x-mac': 'v1 {mac}',
            'x-pair': '{pair}',
            'x-nonce': expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
          body: { assertion: '{assertion}', grant: 'custom' },
        },
        answer: {
          status: 200,
          headers: {
            'set-cookie': ['TICKET={ticket}; Path=/; HttpOnly; Max-Age=60'],
            'content-type': ['application/json'],
          },
          body: { count: '{count}', note: 'Welcome back.' },
        },
        reads: [
          { name: 'ticket', from: 'cookie TICKET', type: 'text', length: TICKET.length },
          { name: 'count', from: 'body count', type: 'number', length: 2 },
        ],
        judged: { by: 'status', means: 'ok' },
      },
      {
        request: {
          method: 'POST',
          url: 'https://api.example/v1/finish',
          headers: {
            'user-agent': USER_AGENT,
            accept: 'application/json',
            'content-type': 'application/json',
            cookie: 'TICKET={ticket}',
          },
          body: { n: '{count}', deep: [{ password: '{password}', fixed: true }] },
        },
        answer: {
          status: 200,
          headers: {},
          body: { data: { session: '{token}' }, until: '{end}', kind: 'full', other: 'text of 812 characters' },
        },
        reads: [
          { name: 'token', from: 'body data.session', type: 'text', length: TOKEN.length },
          { name: 'end', from: 'body until', type: 'text', length: 20 },
        ],
        judged: { by: 'status', means: 'ok' },
      },
    ]);
  });

  it('tells when the token ends and by which source, and how it is placed', async () => {
    const { trial } = await tryLogin([begun, finished]);
    expect(trial?.token).toEqual({
      length: TOKEN.length,
      expires_at: '2026-11-21T10:20:00Z',
      end: { by: 'lifetime[1]', says: 'the value `end` as date' },
      placed: {
        headers: { 'X-Session': '{token}', 'X-Call': '{call}' },
        query: { tenant: 'acme' },
        base_url: 'https://api.example/v1',
      },
    });
    const endless = { ...finished, body: JSON.stringify({ data: { session: TOKEN } }) };
    expect((await tryLogin([begun, endless])).trial?.token?.end).toEqual({
      by: 'maxTokenAgeSeconds',
      says: 'at most 86400 s',
    });
  });

  it('tells the claims of a JWT, and of other derived values their kind and length', async () => {
    const { trial } = await tryLogin([begun, finished]);
    expect(trial?.derived).toEqual([
      { name: 'pair', kind: 'base64', length: expect.any(Number) },
      { name: 'mac', kind: 'digest', length: 64 },
      {
        name: 'assertion',
        kind: 'jwt',
        length: expect.any(Number),
        header: { alg: 'HS256' },
        claims: { iss: '{user}', aud: 'https://idp.example/acme' },
      },
      { name: 'nonce', kind: 'random', length: 36 },
      { name: 'call', kind: 'digest', length: 64 },
    ]);
  });

  it.each<[string, Answer, Partial<Provider>, object]>([
    [
      'a rule',
      { status: 403, body: '{"code":"LOCKED_OUT"}' },
      { answers: [{ at: body('code'), is: ['LOCKED_OUT'], means: 'locked' }] },
      { by: 'answers[0]', means: 'locked', evidence: "what the body says, by the provider's rule 1" },
    ],
    [
      'an OAuth error',
      { status: 400, body: '{"error":"invalid_scope","error_description":"No such scope."}' },
      {},
      { by: 'oauth', means: 'misconfigured', evidence: 'the error invalid_scope in the body' },
    ],
    [
      'a status',
      { status: 401, body: '' },
      {},
      { by: 'status', means: 'credential', evidence: 'the status 401 without a body' },
    ],
    [
      'a status that is no refusal',
      { status: 404, body: '{}' },
      {},
      {
        by: 'status',
        means: 'upstream_invalid_response',
        evidence: 'the status 404 with JSON of its own shape',
      },
    ],
    [
      'an answer of success without a token',
      { body: '{"token":7}' },
      {},
      { by: 'token', means: 'unusable', evidence: 'a token that is no text' },
    ],
  ])('tells what judged it: %s', async (_, answer, change, judged) => {
    const provider = { ...everything, logins: { system: [{ url: '/t', reads: { token: body('token') } }] }, ...change };
    const { outcome, trial } = await tryLogin([answer], { provider });
    failureIn(outcome);
    expect(trial?.steps.at(-1)?.judged).toEqual(judged);
    expect(trial).not.toHaveProperty('token');
  });

  it('tells of a request without an answer whether it was sent', async () => {
    const { outcome, trial } = await tryLogin([begun, { kind: 'failure', reason: 'timeout', sent: true }]);
    expect(failureIn(outcome).code).toBe('upstream_timeout');
    expect(trial?.steps[1]).toMatchObject({ failure: { reason: 'timeout', sent: true }, reads: [] });
    expect(trial?.steps[1]).not.toHaveProperty('answer');
  });

  it('shows no text that is all of an answer, in JSON or not: it may be a token that nothing reads', async () => {
    for (const body of ['"plain-words"', 'plain-words']) {
      const { trial } = await tryLogin([{ body }]);
      expect(trial?.steps[0]?.answer?.body).toMatch(/^text of 1[13] characters$/);
    }
  });

  it('shows words of the upstream that are plain, and of all others the shape', async () => {
    const answer = {
      status: 400,
      headers: {
        'content-type': ['text/html; charset=utf-8'],
        date: ['Sun, 06 Nov 1994 08:49:37 GMT'],
        location: ['https://login.example/?session=a8f3k2m9q1zz'],
        'x-trace': ['a8f3k2m9q1zz'],
      },
      body: JSON.stringify({
        error: 'invalid_thing',
        message: 'Application is not assigned to the role TOKEN-API, v2.1.',
        at: '2026-11-21T10:00:00.000Z',
        trace: '6f1c2d9e-77aa-4b1c-9d55-0c6de1f0a111',
        link: 'https://docs.example/errors?id=a8f3k2m9q1',
        jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
        refresh_token: 'plain-words',
        token_type: 'Bearer',
        expires_in: 900,
        session: { id: 'short', ok: true },
        many: [1, 2, 3, 4, 5, 6, 7],
        '9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c': null,
      }),
    };
    const { trial } = await tryLogin([answer]);
    expect(trial?.steps[0]?.answer).toEqual({
      status: 400,
      headers: {
        'content-type': ['text/html; charset=utf-8'],
        date: ['Sun, 06 Nov 1994 08:49:37 GMT'],
        location: ['URL of 43 characters'],
        'x-trace': ['text of 12 characters'],
      },
      body: {
        error: 'invalid_thing',
        message: 'Application is not assigned to the role TOKEN-API, v2.1.',
        at: '2026-11-21T10:00:00.000Z',
        trace: 'text of 36 characters',
        link: 'URL of 41 characters',
        jwt: 'JWT of 49 characters',
        refresh_token: 'text of 11 characters',
        token_type: 'Bearer',
        expires_in: 900,
        session: { id: 'text of 5 characters', ok: true },
        many: [1, 2, 3, 4, 5, '2 more'],
        'text of 32 characters': null,
      },
    });
  });

  it('costs an ordinary login nothing: the outcome is the same, and nothing is recorded', async () => {
    const { upstream } = answeredInTurn([begun, finished], { now: NOW });
    const connection = connectionOf('tried', 'https://api.example/v1', {
      provider: everything,
      settings: { tenant: 'acme' },
    });
    const ordinary = await upstream.login({
      connection,
      subject: 'system',
      secret: secretOf(SECRET),
      timeoutMs: 1_000,
    });
    const { outcome } = await tryLogin([begun, finished]);
    expect(JSON.stringify(ordinary)).toBe(JSON.stringify(outcome));
  });
});
