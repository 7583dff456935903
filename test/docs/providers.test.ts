import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import type { Provider } from '../../functions/core/slot/provider.ts';
import { userKeyOf } from '../../functions/core/slot/slot.ts';
import { providers } from '../../functions/providers/registry.ts';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { send } from '../local/demo/demo-client.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { readPage } from './repository.ts';

const page = readPage('docs/providers.md');

it("runs the page's example: the upstream gets what the page says, and the caller its header", async () => {
  const example = /```json\n(.*?)```/s.exec(page)?.[1] ?? '';
  const asked: { request: IncomingMessage; body: string }[] = [];
  const upstream = createServer(async (request, response) => {
    asked.push({ request, body: await text(request) });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ session: { id: 'id-of-the-session', seconds: 900 } }));
  });
  onTestFinished(() => void upstream.close());
  const baseUrl = await listenOnLoopback(upstream, 0);
  const declared = JSON.parse(example.replace('https://bookings.example.com', baseUrl));
  const system = await startSystemUnderTest({ ...declared, secrets: { desk: { client: 'ünit', key: 'k' } } });
  onTestFinished(system.close);
  const { status, json } = await send(`${system.url}/tokens/desk/system`);

  expect({ status, json }).toMatchObject({
    status: 200,
    json: { headers: { 'X-Session': 'id-of-the-session' }, source: 'login', expires_in: expect.any(Number) },
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.request).toMatchObject({ method: 'POST', url: '/v1/session' });
  expect(asked[0]?.request.headers.authorization).toBe(`Basic ${Buffer.from('ünit:k').toString('base64')}`);
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ site: 'Berlin & Köln' });
});

it('has a row for each preset, with its fields, its settings, its subjects and its renewal', () => {
  const told = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(told).toEqual(Object.entries<Provider>(providers).map(([name, provider]) => rowOf(name, provider)));
});

it('counts the presets as the first pages say', () => {
  const presets = Object.keys(providers).length;
  expect(readPage('docs/README.md')).toContain(`one of ${presets} presets`);
  // The first page names two of them itself.
  expect(readPage('README.md')).toContain(`${presets - 2} more [presets]`);
});

function rowOf(name: string, provider: Provider): string {
  const { secretFields, settings = {}, logins, renewal } = provider;
  const code = (names: readonly string[]) => names.map((each) => `\`${each}\``).join(', ');
  const fields = Object.entries(secretFields).map(([field, { optional }]) =>
    optional === true ? `\`${field}\` (optional)` : `\`${field}\``,
  );
  const required = Object.entries(settings).filter(
    ([, { optional, default: byDefault }]) => optional !== true && byDefault === undefined,
  );
  const subjects = [...(logins.system ? ['system'] : []), ...(logins.user ? [userKeyOf(provider)] : [])];
  const renewed = renewal === undefined ? 'login' : 'slide' in renewal ? 'slide' : 'refresh';
  const cells = [code([name]), fields.join(', '), code(required.map(([key]) => key)), code(subjects), renewed];
  return `| ${cells.join(' | ')} |`;
}
