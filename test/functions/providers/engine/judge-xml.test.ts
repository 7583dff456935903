import { expect, it } from 'vitest';
import type { Provider } from '../../../../functions/providers/provider.ts';
import { body } from '../../../../functions/providers/provider.ts';
import { answeredBy, connectionOf, providerWith, secretOf } from '../provider-harness.ts';

/** The token or the failure's code of a login that is answered so. */
async function logIn(change: Partial<Provider>, xml: string): Promise<string> {
  const logins = { system: [{ url: '/login', answer: 'xml', reads: { token: body('r', 'token') } }] } as const;
  const connection = connectionOf('any', 'https://upstream.example', { provider: providerWith({ logins, ...change }) });
  const secret = secretOf({ id: 'me', key: 'k' });
  const { upstream } = answeredBy({ body: xml });
  const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1_000 });
  return outcome.kind === 'token' ? outcome.value.reveal() : outcome.code;
}

it.each([
  [0, '0', 'good'],
  [0, '00', 'upstream_invalid_response'],
  [true, 'true', 'good'],
  ['0', '0', 'good'],
])('the value %j of a rule is the text that stands there in XML: %s', async (value, text, expected) => {
  const answers = [{ at: body('r', 'code'), is: [value], means: 'ok' }] as const;
  expect(await logIn({ answers }, `<r><code>${text}</code><token>good</token></r>`)).toBe(expected);
});

it('a flag in XML is the text that stands there', async () => {
  const change = { refusal: { flag: 'success', message: 'why' }, envelope: 'r' };
  const answer = '<r><success>false</success><why>No.</why><token>good</token></r>';
  expect(await logIn(change, answer)).toBe('upstream_credential_rejected');
  expect(await logIn(change, answer.replace('false', 'true'))).toBe('good');
});
