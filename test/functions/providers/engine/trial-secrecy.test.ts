import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { body, type Provider } from '../../../../functions/providers/provider.ts';
import { providers } from '../../../../functions/providers/registry.ts';
import { createCanarySearch } from '../../../system/canary-forms.ts';
import type { Answer } from '../provider-harness.ts';
import { rsaKey } from '../test-keys.ts';
import { begun, finished, SECRET, TICKET, TOKEN, tryLogin } from './trial-harness.ts';

describe('what is shown of a login', () => {
  const mac = createHmac('sha256', SECRET.shared).update(SECRET.user).digest('hex');
  const call = createHash('sha256').update(TOKEN).digest('hex');
  const canaries = [
    ...Object.entries(SECRET).map(([name, value]) => ({ name, value })),
    { name: 'pair', value: `${SECRET.user}:${SECRET.password}` },
    { name: 'mac', value: mac },
    { name: 'ticket', value: TICKET },
    { name: 'token', value: TOKEN },
    { name: 'call', value: call },
  ];
  const search = createCanarySearch(canaries);

  /** A text in every form in which a server may give it back. */
  const formsOf = (value: string) => [
    value,
    value.toUpperCase(),
    encodeURIComponent(value),
    new URLSearchParams({ v: value }).toString(),
    Buffer.from(value).toString('base64'),
    Buffer.from(value).toString('base64url'),
    Buffer.from(value).toString('hex'),
    JSON.stringify(value),
    `He said ${value}.`,
    value.replace(/[&"<]/g, (sign) => `&#${sign.charCodeAt(0)};`),
  ];

  it('holds no secret, token or derived value, however an answer gives it back', async () => {
    const { sent } = await tryLogin([begun, finished]);
    const assertion = new URLSearchParams(String(sent[0]?.body)).get('assertion') ?? '';
    expect(assertion.split('.')).toHaveLength(3);
    const withJwt = createCanarySearch([...canaries, { name: 'assertion', value: assertion }]);
    for (const { name, value } of [...canaries, { name: 'assertion', value: assertion }]) {
      for (const echo of formsOf(value)) {
        const answer = (status: number): Answer => ({
          status,
          headers: {
            'content-type': [`text/plain; boundary=${encodeURIComponent(echo)}`],
            'x-echo': [echo],
            server: [echo],
            'www-authenticate': [`Bearer realm="${echo}"`],
            [`x-${Buffer.from(echo).toString('hex')}`]: ['1'],
            'set-cookie': [`ECHO=${encodeURIComponent(echo)}; Path=/${encodeURIComponent(echo)}`, `TICKET=${TICKET}`],
          },
          body: JSON.stringify({
            count: 41,
            error: 'invalid_request',
            error_description: echo,
            echo,
            [echo]: echo,
            list: [echo, { echo }],
            data: { session: TOKEN, echo: `token ${echo}` },
          }),
        });
        const asText: Answer = { status: 400, body: `<html>${echo}</html>` };
        for (const answers of [[answer(200), answer(200)], [answer(400)], [answer(200), answer(403)], [asText]]) {
          const { trial, outcome } = await tryLogin(answers);
          const detail = outcome.kind === 'failure' ? [outcome.detail, outcome.evidence] : [];
          expect([name, echo, withJwt(JSON.stringify([trial, detail]))]).toEqual([name, echo, []]);
        }
      }
    }
  });

  it('holds nothing of a secret that is a number, or a word', async () => {
    const secret = { user: '42424242', password: 'correct', shared: 'k'.repeat(20) };
    const answer = {
      status: 400,
      body: '{"user":42424242,"said":"The password correct is wrong.","list":["correct"],"id":"x42424242"}',
    };
    const { trial } = await tryLogin([answer], { secret });
    const shown = JSON.stringify(trial?.steps[0]?.answer);
    expect(shown).not.toMatch(/42424242|correct/);
    expect(shown).toContain('{user}');
  });

  it('holds nothing of the field whose next value an answer gave', async () => {
    const before = 'refresh-canary-before-1a2b3c';
    const after = 'refresh-canary-after-9z8y7x';
    const provider: Provider = {
      secretFields: { refreshToken: { rotates: { graceSeconds: 0 } } },
      logins: {
        system: [
          {
            url: '/t',
            form: { refresh_token: '{refreshToken}' },
            reads: { token: body('access_token'), refreshToken: body('refresh_token') },
          },
        ],
      },
      placement: { headers: { authorization: 'Bearer {token}' } },
    };
    const answer = {
      body: JSON.stringify({ access_token: TOKEN, refresh_token: after, was: before, said: `not ${before}` }),
    };
    const { trial } = await tryLogin([answer], {
      provider,
      secret: { refreshToken: before },
      settings: { tenant: '' },
    });
    const found = createCanarySearch([
      { name: 'before', value: before },
      { name: 'after', value: after },
      { name: 'token', value: TOKEN },
    ])(JSON.stringify(trial));
    expect(found).toEqual([]);
    expect(trial?.steps[0]?.answer?.body).toMatchObject({ refresh_token: '{refreshToken}', was: '{refreshToken}' });
  });

  const { pkcs8 } = rsaKey();
  it.each(Object.entries<Provider>(providers))('holds no field of the secret of %s', async (name, provider) => {
    const secret = Object.fromEntries(
      Object.entries(provider.secretFields).map(([field, { kind }]) => [
        field,
        kind === 'pem' ? pkcs8 : `canary+${field}/of&${name}-93fKq2`,
      ]),
    );
    const settings = Object.fromEntries(
      Object.entries(provider.settings ?? {}).map(([key, { kind, values, default: text }]) => [
        key,
        text === undefined ? (values?.[0] ?? (kind === 'path' ? '/p' : 'acme')) : 'acme',
      ]),
    );
    const echo = Object.values(secret).flatMap(formsOf);
    const answer = { status: 200, body: JSON.stringify({ echo, error: 'invalid_request' }) };
    const { trial } = await tryLogin([answer, answer, answer], {
      provider,
      secret,
      settings: { ...settings, tenant: 'acme' },
      subject: provider.logins.system === undefined ? '7' : 'system',
    });
    const found = createCanarySearch(Object.entries(secret).map(([field, value]) => ({ name: field, value })));
    expect(found(JSON.stringify(trial))).toEqual([]);
    expect(trial).toBeDefined();
  });

  it('is searched by a search that finds', () => {
    expect(search(JSON.stringify({ a: Buffer.from(SECRET.password).toString('base64') }))).not.toEqual([]);
  });
});
