import * as oauth from 'oauth4webapi';
import { afterAll, expect, it } from 'vitest';
import { helpmasterCall } from '../../local/demo/demo-client.ts';
import { deployer, JWT_TYPE, startExchangeHarness, TOKEN_EXCHANGE } from './exchange-harness.ts';

const broker = await startExchangeHarness();
afterAll(() => broker.close());

const client: oauth.Client = { client_id: 'ignored' };

function request(parameters: Record<string, string>): Promise<Response> {
  const server: oauth.AuthorizationServer = { issuer: broker.url, token_endpoint: `${broker.url}/oauth2/token` };
  return oauth.genericTokenEndpointRequest(server, client, oauth.None(), TOKEN_EXCHANGE, parameters, {
    [oauth.allowInsecureRequests]: true,
  });
}

it('gets a HelpMaster token for oauth4webapi', async () => {
  const response = await request({
    subject_token: await broker.issuer.sign(deployer),
    subject_token_type: JWT_TYPE,
    audience: 'helpdesk',
    requested_subject: '88',
  });
  const answer = await oauth.processGenericTokenEndpointResponse({ issuer: broker.url }, client, response);

  expect(answer).toMatchObject({ token_type: 'bearer', issued_token_type: expect.any(String) });
  expect(answer.expires_in).toBeGreaterThan(86_000);
  const called = await helpmasterCall(broker.helpmaster, answer.access_token);
  expect(called.json).toMatchObject({ actingAs: { userid: '88' } });
});

it('refuses so that oauth4webapi reads why', async () => {
  const response = await request({
    subject_token: await broker.issuer.sign(deployer, 'expired'),
    subject_token_type: JWT_TYPE,
    audience: 'helpdesk',
  });
  const answer = oauth.processGenericTokenEndpointResponse({ issuer: broker.url }, client, response);

  await expect(answer).rejects.toMatchObject({
    name: 'ResponseBodyError',
    error: 'invalid_request',
    error_description: 'The subject token was not accepted.',
    status: 400,
  });
});
