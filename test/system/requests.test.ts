import { afterAll, afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createTokenBrokerClient } from '../../client/index.ts';
import { send } from '../local/demo/demo-client.ts';
import { type BrokerProcess, startBroker } from './broker-process.ts';

const HASH = 'a'.repeat(64);

/** Counts the logins that both demo upstreams have seen. */
async function loginsSeen({ demo }: BrokerProcess): Promise<number> {
  const ledgers = await Promise.all([demo.helpmaster, demo.community].map((url) => send(`${url}/__demo/ledger`)));
  return ledgers.reduce((sum, { json }) => sum + (Array.isArray(json?.['logins']) ? json['logins'].length : 0), 0);
}

describe('requests that the broker must survive', async () => {
  const broker = await startBroker();
  const ask = (path: string, options: Parameters<typeof send>[1] = {}) => send(broker.url, { path, ...options });

  afterEach(async () => {
    expect(await loginsSeen(broker)).toBe(0);
  });
  afterAll(async () => {
    expect(await send(`${broker.url}/tokens/helpdesk/88`)).toMatchObject({ status: 200 });
    await broker.stop();
  });

  it.each([
    ['GET', '/nowhere', 404, 'not_found'],
    ['GET', '/tokens', 404, 'not_found'],
    ['GET', '/tokens/helpdesk', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/88/', 404, 'not_found'],
    ['GET', '//tokens/helpdesk/88', 404, 'not_found'],
    ['GET', '/tokens//88', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/../helpdesk/88', 404, 'not_found'],
    ['GET', '/TOKENS/helpdesk/88', 404, 'not_found'],
    ['GET', '/connections/', 404, 'not_found'],
    ['GET', '/tokens/helpdesk%2f88', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/8%2f8', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/88%00', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/88%0d%0aX-Injected:1', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/..', 400, 'invalid_subject'],
    ['GET', '/tokens/../88', 404, 'unknown_connection'],
    ['GET', '/tokens/__proto__/88', 404, 'unknown_connection'],
    ['GET', '/tokens/constructor/88', 404, 'unknown_connection'],
    ['GET', '/connections/__proto__', 404, 'unknown_connection'],
    ['GET', '/tokens/helpdesk/088', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/2147483648', 400, 'invalid_subject'],
    ['GET', '/tokens/wfm/88', 400, 'subject_not_supported'],
    ['GET', '/tokens/helpdesk/88?min_ttl=60&min_ttl=60', 400, 'invalid_request'],
    ['GET', '/tokens/helpdesk/88?min_ttl=%0d%0a', 400, 'invalid_request'],
    ['PUT', '/tokens/helpdesk/88', 405, 'method_not_allowed'],
    ['PATCH', '/connections/helpdesk', 405, 'method_not_allowed'],
    ['DELETE', '/connections', 405, 'method_not_allowed'],
    ['DELETE', '/tokens/helpdesk/root', 400, 'invalid_subject'],
  ])('%s %s: %i %s', async (method, path, status, code) => {
    const answer = await ask(path, { method });
    expect(answer.json).toMatchObject({ status, code, type: `urn:token-broker:error:${code}` });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(answer.headers['x-injected']).toBeUndefined();
  });
});

describe('--require-sigv4', () => {
  it('hands out to what is signed, and refuses the rest with 403 and nothing behind it (invariant 13)', async () => {
    const broker = await startBroker(['--require-sigv4']);
    onTestFinished(async () => void (await broker.stop()));
    const client = createTokenBrokerClient({ url: broker.url });
    const { source, token } = await client.token('helpdesk', { subject: '88', minTtlSeconds: 300 });
    expect(source).toBe('login');
    expect(await client.reject('helpdesk', { subject: '88', sha256: HASH })).toMatchObject({ source: 'cache', token });
    expect(await client.connections()).not.toHaveLength(0);
    expect(await loginsSeen(broker)).toBe(1);

    for (const path of ['/tokens/helpdesk/42', '/connections/helpdesk', '/nowhere']) {
      expect(await send(`${broker.url}${path}`)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    }
    expect(await loginsSeen(broker)).toBe(1);
  });
});
