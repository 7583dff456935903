import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { ConfigurationError } from '../../functions/configuration/errors.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { send } from './demo/demo-client.ts';

/** A provider that no preset is: two requests, a cookie, a date as the end, the tenant in the path. */
const harbour = {
  secretFields: { berth: {}, password: {} },
  settings: { tenant: { kind: 'text' } },
  logins: {
    system: [
      {
        url: '/{tenant}/moor',
        form: { berth: '{berth}', password: '{password}' },
        reads: { rope: { in: 'cookie', name: 'ROPE' } },
      },
      {
        method: 'GET',
        url: '/{tenant}/pass',
        headers: { cookie: 'ROPE={rope}' },
        reads: { token: { in: 'body', path: ['pass', 'id'] }, until: { in: 'body', path: ['pass', 'until'] } },
      },
    ],
  },
  placement: { headers: { 'X-Pass': '{token}' } },
  lifetime: [{ value: 'until', as: 'date' }],
};

/** Starts the broker on a connections file with this provider. */
const startOn = (baseUrl: string, provider: unknown = harbour) =>
  startSystemUnderTest({
    providers: { harbour: provider },
    connections: { quay: { provider: 'harbour', baseUrl, tenant: 'nørd & süd' } },
    secrets: { quay: { berth: 'b 1', password: 'p&w' } },
  });

it('a provider of one’s own in a JSON file hands out tokens', async () => {
  const asked: string[] = [];
  const upstream = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.cookie ?? ''} ${await text(request)}`);
    response.setHeader('set-cookie', 'ROPE=hemp; Path=/; HttpOnly');
    response.end(JSON.stringify({ pass: { id: 'pass-1', until: new Date(Date.now() + 1_800_000).toISOString() } }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void upstream.close());
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const system = await startOn(`http://127.0.0.1:${port}/api`);
  onTestFinished(system.close);
  const { status, json } = await send(`${system.url}/tokens/quay/system`);

  expect({ status, json }).toMatchObject({
    status: 200,
    json: { access_token: 'pass-1', source: 'login', headers: { 'X-Pass': 'pass-1' } },
  });
  expect(Math.abs(Number(json?.['expires_in']) - 1_795)).toBeLessThan(30);
  expect(asked).toEqual([
    'POST /api/n%C3%B8rd%20%26%20s%C3%BCd/moor  berth=b+1&password=p%26w',
    'GET /api/n%C3%B8rd%20%26%20s%C3%BCd/pass ROPE=hemp ',
  ]);
});

it('with six mistakes in it, six messages, and nothing starts', async () => {
  const [moor, pass] = harbour.logins.system;
  const mistaken = {
    ...harbour,
    secretFields: { berth: {}, password: { kind: 'pin' } },
    settings: { tenant: { kind: 'words' } },
    logins: {
      system: [
        { ...moor, methd: 'PUT' },
        { ...pass, method: 'PATCH' },
      ],
    },
    placement: { headers: { 'X Pass': '{token}' } },
    lifetime: [{ value: 'until', as: 'fortnights' }],
  };
  const paths = await startOn('https://harbour.example', mistaken).then(
    () => [],
    (error: unknown) => (error instanceof ConfigurationError ? error.problems.map(({ path }) => path) : [error]),
  );
  expect(paths).toEqual([
    'providers.harbour.secretFields.password.kind',
    'providers.harbour.settings.tenant.kind',
    'providers.harbour.logins.system[0].methd',
    'providers.harbour.logins.system[1].method',
    'providers.harbour.placement.headers["X Pass"]',
    'providers.harbour.lifetime[0]',
  ]);
});
