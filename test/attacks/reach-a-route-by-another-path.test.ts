import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FunctionsUnderTest, startFunctionsUnderTest } from '../functions/api/functions-under-test.ts';
import { type ProxyHarness, startProxyHarness } from '../functions/proxy/proxy-harness.ts';
import { send } from '../local/demo/demo-client.ts';

// A caller whose grant names one path, and who wants another: IAM judges the path as it is written, and the function
// goes by what API Gateway made of it.
let under: FunctionsUnderTest;
let broker: ProxyHarness;
beforeAll(async () => {
  [under, broker] = await Promise.all([
    startFunctionsUnderTest(({ helpmaster }) => ({
      connections: { helpdesk: { provider: 'helpmaster', baseUrl: helpmaster, proxy: {} } },
    })),
    startProxyHarness(),
  ]);
});
afterAll(() => Promise.all([under.close(), broker.close()]));

describe('a path that is not exactly the route’s', () => {
  it.each([
    ['another subject', '/tokens/helpdesk/88'],
    ['another connection', '/tokens/wfm/system'],
    ['a slash at the end', '/tokens/helpdesk/system/'],
    ['a slash at the beginning', '//tokens/helpdesk/system'],
    ['another case', '/Tokens/helpdesk/system'],
    ['a dot segment', '/tokens/helpdesk/../helpdesk/system'],
    ['the empty path', ''],
  ])('is 404 before anything else: %s in the path, and `system` in the parameters', async (_, path) => {
    under.downstream();
    for (const method of ['GET', 'DELETE']) {
      const { status, json } = await under.call({
        method,
        path: '/tokens/helpdesk/system',
        alter: (event) => ({ ...event, path }),
      });
      expect([status, json['code']]).toEqual([404, 'not_found']);
    }
    expect(under.downstream()).toEqual({});
  });

  it.each(['/proxy/helpdesk/88/jobs', '/proxy/helpdesk/system/other', '/tokens/helpdesk/system'])(
    'is 404 for a proxied call, too: %s',
    async (path) => {
      const answer = await under.call({
        path: '/proxy/helpdesk/system/jobs',
        alter: (event) => ({ ...event, path }),
      });
      expect([answer.status, answer.json['code']]).toEqual([404, 'not_found']);
      expect(under.helpmaster.ledger().calls).toEqual([]);
    },
  );

  it.each([
    '/tokens/helpdesk/system/',
    '/tokens/helpdesk/%73ystem',
    '/tokens/%68elpdesk/system',
    '/tokens/helpdesk/system%3F',
    '/tokens/helpdesk/x/../system',
    '/tokens/helpdesk//system',
    '/proxy/helpdesk/%73ystem/jobs',
    '/connections/',
    '/oauth2/token/',
  ])('is 404 on loopback: %s', async (path) => {
    const { status, json } = await send(broker.url, { path });
    expect([status, json?.['code']]).toEqual([404, 'not_found']);
  });

  it('with the stage before it is the route’s, where a client sends it', async () => {
    for (const path of ['/v1/tokens/helpdesk/system', '/tokens/helpdesk/system']) {
      expect((await send(broker.url, { path })).status, path).toBe(200);
    }
    const { status } = await under.call({
      path: '/tokens/helpdesk/system',
      alter: (event) => ({ ...event, path: `/v1${event.path}` }),
    });
    expect(status).toBe(404);
  });
});
