import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../functions/configuration/errors.ts';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { send } from '../local/demo/demo-client.ts';
import { gistOf, slotsOf } from './api-client.ts';
import { badInputs, CANARIES, GOOD_SECRET } from './bad-inputs.ts';
import { createCanarySearch } from './canary-forms.ts';
import { startSystemUnderTest } from './system-under-test.ts';
import { waitUntil } from './wait-until.ts';

/** Starts the broker on a provider or a connection with one mistake; gives the paths that it complains of. */
async function complaintsOf(change: { readonly provider?: object; readonly connection?: object }) {
  const login = { url: '/login', json: { key: '{key}', site: '{site}' }, reads: { token: { in: 'text' } } };
  const provider = {
    secretFields: { key: {} },
    settings: { site: { kind: 'text' } },
    logins: { system: [login] },
    placement: { headers: { Authorization: 'Bearer {token}' } },
    lifetime: [{ seconds: 3_600 }],
    ...change.provider,
  };
  const connection = { provider: 'own', baseUrl: 'https://api.example', site: 'a', ...change.connection };
  const starting = startSystemUnderTest({
    providers: { own: provider },
    connections: { desk: connection },
    secrets: {},
  });
  const error: unknown = await starting.then(
    (system) => system.close(),
    (thrown: unknown) => thrown,
  );
  return error instanceof ConfigurationError ? error.problems.map(({ path }) => path) : error;
}

const signing = (claims: object) => ({
  derived: { proof: { jwt: { alg: 'HS256', key: '{key}', claims, lifeSeconds: 60 } } },
});

it.each<readonly [string, Parameters<typeof complaintsOf>[0], string]>([
  ['a claim that names an absent setting', { provider: signing({ iss: '{tenant}' }) }, 'providers.own.derived.proof'],
  ['a brace that begins no name', { provider: signing({ iss: '{site-id}' }) }, 'providers.own.derived.proof'],
  ['a setting with a line break', { connection: { site: 'a\r\nX-Evil: 1' } }, 'connections.desk.site'],
  ['a setting of more than 2,000 characters', { connection: { site: 'a'.repeat(2_001) } }, 'connections.desk.site'],
  [
    'a base URL with a credential in it',
    { connection: { baseUrl: 'https://user:password@api.example' } },
    'connections.desk.baseUrl',
  ],
])('%s: nothing starts, and its path is named', async (_, change, path) => {
  expect(await complaintsOf(change)).toContain(path);
});

const GOOD_ANSWER = JSON.stringify({ token: 'good-token', next: 'a', base: 'https://api.good.example.com' });

describe('bad input of a provider, through the whole broker', async () => {
  /** Requests to the upstream, by connection. */
  const requests = new Map<string, number>();
  const mended = new Set<string>();
  const upstream = createServer(async (request, response) => {
    const [, name = '', step = ''] = (request.url ?? '').split('/');
    await text(request);
    requests.set(name, (requests.get(name) ?? 0) + 1);
    const input = badInputs.find((each) => each.name === name);
    if (mended.has(name)) response.end(input?.good ?? GOOD_ANSWER);
    else input?.answer?.(response, step);
  });
  const url = await listenOnLoopback(upstream, 0);
  const connections = badInputs.map(({ name, settings }) => {
    return [name, { provider: name, baseUrl: `${url}/${name}`, memorySeconds: 0, ...settings }] as const;
  });
  const system = await startSystemUnderTest({
    providers: Object.fromEntries(badInputs.map(({ name, provider }) => [name, provider])),
    connections: Object.fromEntries(connections),
    secrets: Object.fromEntries(badInputs.map(({ name, secret }) => [name, { ...GOOD_SECRET, ...secret }])),
  });
  afterAll(async () => {
    await system.close();
    await closeServer(upstream);
  });
  const answers: string[] = [];
  const noted = <Kind extends { readonly text: string; readonly headers: object }>(answer: Kind): Kind => {
    answers.push(JSON.stringify(answer.headers), answer.text);
    return answer;
  };

  it.each(badInputs)('$what → $gist', async ({ name, gist, requests: most, secret, good, says = /./ }) => {
    const first = noted(await system.api.token(name, 'system'));
    expect(gistOf(first)).toBe(gist);
    expect(requests.get(name) ?? 0).toBe(most);
    const [slot] = slotsOf(noted(await system.api.connections(name)));
    expect(first.status === 200 ? JSON.stringify(slot) : first.json['detail']).toMatch(says);
    if (first.status === 200) return;

    // An operator's try shows the same, and gives no more away.
    await system.api.purge(name, 'system');
    const headers = { 'content-type': 'application/json' };
    const tried = await send(`${system.url}/connections/${name}/try`, { method: 'POST', headers, body: '{}' });
    expect(noted(tried).text).toContain(String(first.json['code']));
    if (good === null) return;

    // Nothing is lost: once it is mended, the next login serves.
    mended.add(name);
    if (secret !== undefined) system.secrets.put(name, GOOD_SECRET);
    await waitUntil('token', async () => {
      await system.api.purge(name, 'system');
      return gistOf(await system.api.token(name, 'system')) === '200 login' ? true : undefined;
    });
  });

  it('nothing of it is in an answer, a log line or the table', async () => {
    const client = new DynamoDBClient({
      endpoint: system.controls.dynamodbEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    const scans = await Promise.all(TableNames.map((TableName) => client.send(new ScanCommand({ TableName }))));
    client.destroy();
    const items = scans.flatMap(({ Items = [] }) => Items);
    expect(items.length).toBeGreaterThan(badInputs.length);
    const stored = JSON.stringify(items, (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    const search = createCanarySearch(CANARIES);
    expect(search([...answers, system.log(), stored].join('\n'))).toEqual([]);
  });
});
