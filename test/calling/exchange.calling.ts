import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deployer, startExchangeHarness } from '../functions/exchange/exchange-harness.ts';
import { helpmasterCall } from '../local/demo/demo-client.ts';
import { prepareLanguages } from './languages.ts';

const programs: readonly (readonly [string, 'python' | 'go', string])[] = [
  ["Python's requests-oauthlib", 'python', 'exchange.py'],
  ["Go's golang.org/x/oauth2", 'go', 'exchange.go'],
];

describe('the token exchange, by stock clients of other languages', async () => {
  const [broker, languages] = await Promise.all([startExchangeHarness(), prepareLanguages()]);
  afterAll(() => broker.close());

  const exchange = (language: 'python' | 'go', program: string, subjectToken: string) =>
    languages[language](join(import.meta.dirname, program), {
      TOKEN_BROKER_URL: broker.url,
      SUBJECT_TOKEN: subjectToken,
      // The broker is on loopback.
      OAUTHLIB_INSECURE_TRANSPORT: '1',
    });

  it.each(programs)('%s gets a HelpMaster token that opens a call as staff member 88', async (_, language, program) => {
    const { failed, stdout, stderr } = await exchange(language, program, await broker.issuer.sign(deployer));

    expect({ failed, stderr }).toEqual({ failed: false, stderr: '' });
    const { access_token: token }: { access_token?: string } = JSON.parse(stdout);
    const called = await helpmasterCall(broker.helpmaster, String(token));
    expect(called.json).toMatchObject({ actingAs: { userid: '88' } });
  });

  it.each(programs)('%s reads why it gets none', async (_, language, program) => {
    const { failed, stderr } = await exchange(language, program, await broker.issuer.sign(deployer, 'expired'));

    expect(failed).toBe(true);
    expect(stderr).toContain('The subject token was not accepted.');
  });
});
