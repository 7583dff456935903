import { expect, it } from 'vitest';
import { createHandOutResponse } from '../../../functions/api/response.ts';
import { Secret } from '../../../functions/core/words/secret.ts';
import { BEARER } from '../../../functions/providers/provider.ts';
import { connectionOf, providerWith } from '../providers/provider-harness.ts';

it('tells the caller to name the user whom the calls are for, and nobody for the system', () => {
  const provider = providerWith({
    placement: { headers: { ...BEARER, 'x-user': '{subject}' }, query: { as: '{subject}' } },
  });
  const connection = connectionOf('any', 'https://api.example', { provider });
  const handedOutTo = (subject: string) => {
    const token = {
      ...{ value: new Secret('t-1'), hash: 'h', generation: 1, secretVersion: 'v', values: {}, attributes: {} },
      ...{ issuedAt: 0, refreshAt: 1, expiresAt: 2 },
    };
    const slot = { connection: 'desk', subject, fingerprint: 'f' };
    const { body } = createHandOutResponse(connection, slot, { token, source: 'cache' }, { now: 0 });
    return JSON.parse(body ?? '');
  };
  expect(handedOutTo('88')).toMatchObject({ headers: { 'x-user': '88' }, query: { as: '88' } });
  expect(handedOutTo('system')).toMatchObject({ headers: { Authorization: 'Bearer t-1' }, query: {} });
});
