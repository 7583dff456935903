import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommunityKnobs, startDemoCommunity } from '../../local/demo/community.ts';
import { type HelpmasterKnobs, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { type Received, send } from '../local/demo/demo-client.ts';
import { sendRaw } from '../local/gateway/gateway-harness.ts';
import { type Answer, gistOf, slotsOf, tokenOf } from './api-client.ts';
import type { Ended } from './broker-process.ts';
import { type Canary, createCanarySearch } from './canary-forms.ts';
import { makeFolder, type OwnBroker, startOwnBroker } from './own-broker.ts';
import { startRecordingProxy } from './recording-proxy.ts';
import { startRefused } from './refused-start.ts';
import { waitUntil } from './wait-until.ts';

const random = () => randomBytes(9).toString('hex');
const right = { apiKey: `key-${random()}` };
const wrong = { apiKey: `wrong-key-${random()}` };
const login = { username: `cänary.${random()}`, password: `c&n=+r %#é€/"${random()}` };
const badLogin = { username: login.username, password: `b&d=+ %#é€/"\\${random()}` };
const person = `Canäry, Person ${random()}`;

/** Planted by the test; what the upstreams issue is added at the end. */
const planted: readonly Canary[] = [
  { name: 'the API key', value: right.apiKey },
  { name: 'a wrong API key', value: wrong.apiKey },
  { name: 'the user name', value: login.username },
  { name: 'the password', value: login.password },
  { name: 'a wrong password', value: badLogin.password },
  { name: 'a name among the attributes', value: person },
  { name: "the upstream's exception", value: 'CommunityWebApi.LoginException' },
  { name: "the upstream's stack trace", value: 'CommunityWebApi.Controllers' },
];

/** Faults at HelpMaster's login, one after the other on a slot that is purged between. */
const helpmasterFaults: readonly Partial<HelpmasterKnobs>[] = [
  { token: 'crlf' },
  { token: 'oversized' },
  { token: 'empty' },
  { unknownSubject: 'other-user', staff: ['1'] },
  { expiry: 'past' },
  { body: 'html' },
  { body: 'oversized' },
  { body: 'invalid-json' },
  { loginStatus: 500 },
  { loginStatus: 403 },
  { reset: 'after' },
  { redirectTo: `http://127.0.0.1:1/?apiKey=${right.apiKey}` },
];

const communityFaults: readonly Partial<CommunityKnobs>[] = [
  { failure: 'success-false', echoCredentialInMessage: true },
  { failure: 401, echoCredentialInMessage: true },
  { failure: 500, echoCredentialInMessage: true },
];

describe('nothing but the hand-out itself holds a credential or a token (invariant 9)', () => {
  const folders: Awaited<ReturnType<typeof makeFolder>>[] = [];
  const proxies: Awaited<ReturnType<typeof startRecordingProxy>>[] = [];
  const answers: Received[] = [];
  const ended: Ended[] = [];
  let helpmaster: Awaited<ReturnType<typeof startDemoHelpmaster>>;
  let community: Awaited<ReturnType<typeof startDemoCommunity>>;
  let own: OwnBroker;
  let data: string;
  let stored: string;
  let tokens: readonly string[];

  /** Notes an answer that must hold nothing; a hand-out only for what it may not hold. */
  const noted = <Kind extends Received>(answer: Kind): Kind => {
    answers.push(answer);
    return answer;
  };
  const ask = async (path: string, options: Parameters<typeof send>[1] = {}) =>
    noted(await send(own.broker.url, { path, ...options }));
  const get = async (connection: string, subject: string): Promise<Answer> =>
    noted(await own.api.token(connection, subject));

  async function folder(): Promise<string> {
    const made = await makeFolder();
    folders.push(made);
    return made.path;
  }

  /** Hand-outs from everywhere: login, cache, slide, and after a report. */
  async function getAround(): Promise<void> {
    for (const [connection, subject] of [
      ['helpdesk', 'system'],
      ['helpdesk', '88'],
      ['wfm', 'system'],
      ['slid', 'system'],
    ] as const) {
      const first = await get(connection, subject);
      expect(gistOf(first)).toBe('200 login');
      await get(connection, subject);
      noted(await own.api.reject(connection, subject, tokenOf(first)));
      noted(await own.api.reject(connection, subject, 'unknown'));
    }
    await waitUntil('slide', async () => {
      const [slot] = slotsOf(noted(await own.api.connections('slid')));
      return Number(slot?.['generation']) > 2 ? slot : undefined;
    });
    noted(await own.api.connections('slid'));
  }

  /** Callers who put tokens and credentials where they do not belong. */
  async function misplace(): Promise<void> {
    const token = tokenOf(await get('helpdesk', '88'));
    for (const value of [token, right.apiKey, encodeURIComponent(login.password)]) {
      await ask(`/tokens/helpdesk/${value}`);
      await ask(`/tokens/${value}/system`);
      await ask(`/connections/${value}`);
      await ask(`/${value}`);
      await ask(`/tokens/helpdesk/88?min_ttl=${value}`);
      await ask(`/tokens/helpdesk/88?access_token=${value}`, { method: 'PUT' });
      await ask('/tokens/helpdesk/42', { method: 'DELETE', headers: { authorization: `Bearer ${value}` } });
      await ask('/nowhere', { headers: { authorization: `Bearer ${value}`, cookie: `t=${value}`, 'x-token': value } });
      for (const body of [value, `{"rejected":"${value}"}`, `{"rejected":"${value}`, `{"${value}":1}`]) {
        const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
        await ask('/tokens/helpdesk/88', options);
        await ask('/tokens/helpdesk/88', { ...options, headers: {} });
      }
    }
    await sendRaw(Number(new URL(own.broker.url).port), `GET /${token}\u0001 HTTP/1.1\r\n\r\n`);
  }

  async function breakUpstreams(): Promise<void> {
    // With a version that is proven each fault is met, whatever the ones before.
    expect((await get('faulty', 'system')).status).toBe(200);
    for (const knobs of helpmasterFaults) {
      const before = helpmaster.knobs();
      helpmaster.setKnobs(knobs);
      await own.api.purge('faulty', '88');
      const failed = await get('faulty', '88');
      expect(failed.status).not.toBe(200);
      await get('faulty', '88');
      noted(await own.api.connections('faulty'));
      helpmaster.setKnobs(before);
    }
    for (const knobs of communityFaults) {
      const before = community.knobs();
      community.setKnobs(knobs);
      await own.api.purge('refused', 'system');
      expect((await get('refused', 'system')).status).not.toBe(200);
      await get('refused', 'system');
      community.setKnobs(before);
    }
    expect((await get('refused_key', 'system')).status).toBe(502);
  }

  /** Files with a credential in the wrong place. */
  async function misconfigure(): Promise<void> {
    const path = await folder();
    const connection = { provider: 'helpmaster', baseUrl: helpmaster.baseUrl };
    const files: readonly (readonly [unknown, unknown])[] = [
      [{ connections: { helpdesk: { ...connection, apiKey: right.apiKey } } }, { helpdesk: right }],
      [{ connections: { helpdesk: { ...connection, secret: login.password } } }, { helpdesk: right }],
      [{ connections: { helpdesk: { ...connection, baseUrl: `https://${right.apiKey}@x.example/` } } }, {}],
      [{ connections: { helpdesk: connection } }, { helpdesk: right.apiKey }],
      [{ connections: { helpdesk: connection } }, { helpdesk: { [right.apiKey]: login.password } }],
      [{ connections: { helpdesk: connection } }, `{"helpdesk": {"apiKey": "${right.apiKey}`],
      [`{"connections": {"helpdesk": "${right.apiKey}" ${login.password}`, { helpdesk: right }],
    ];
    const text = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content));
    for (const [connections, secrets] of files) {
      const flags = ['--connections', join(path, 'c.json'), '--secrets', join(path, 's.json')];
      await writeFile(join(path, 'c.json'), text(connections));
      await writeFile(join(path, 's.json'), text(secrets));
      ended.push({ code: 2, signal: null, stdout: '', stderr: await startRefused(['--port', '0', ...flags]) });
    }
  }

  beforeAll(async () => {
    helpmaster = await startDemoHelpmaster({ knobs: { credential: right } });
    community = await startDemoCommunity({ knobs: { credential: login, userName: person } });
    const slid = await startDemoCommunity({ knobs: { credential: login, userName: person, lifetimeSeconds: 14 } });
    for (const { url } of [helpmaster, community, slid]) proxies.push(await startRecordingProxy(url));
    const [toHelpmaster = '', toCommunity = '', toSlid = ''] = proxies.map(({ origin }) => origin);
    const api = '/CommunityWebApi/api';
    data = await folder();
    own = await startOwnBroker({
      connections: {
        helpdesk: { provider: 'helpmaster', baseUrl: toHelpmaster, renewalCooldownSeconds: 0 },
        faulty: { provider: 'helpmaster', baseUrl: toHelpmaster, memorySeconds: 0, secret: 'helpdesk' },
        refused_key: { provider: 'helpmaster', baseUrl: toHelpmaster },
        wfm: { provider: 'community-web-api', baseUrl: toCommunity + api, renewalCooldownSeconds: 0 },
        refused: { provider: 'community-web-api', baseUrl: toCommunity + api, loginParameter: 'query' },
        slid: {
          provider: 'community-web-api',
          baseUrl: toSlid + api,
          keepAlivePath: '/SingleRecurringEvent',
          lifetimeSeconds: 14,
          refreshAfter: 0.1,
          minTtlSeconds: 0,
          memorySeconds: 0,
          renewalCooldownSeconds: 0,
        },
      },
      secrets: { helpdesk: right, faulty: right, refused_key: wrong, wfm: login, refused: badLogin, slid: login },
      flags: ['--data', data, '--refresh-every', '1'],
    });
    await getAround();
    await misplace();
    await breakUpstreams();
    await own.writeSecrets({ helpdesk: { apiKey: '' } });
    await waitUntil('complaint', () => (own.broker.stderr().includes('stay in use') ? true : undefined));
    await misconfigure();

    stored = await bytesIn(data);
    ended.push(await own.broker.stop());
    stored += await bytesIn(data);
    tokens = proxies.flatMap((proxy) => [...proxy.tokens()]);
    await slid.close();
  });
  afterAll(async () => {
    await own.close();
    await Promise.all([...proxies, helpmaster, community].map((server) => server.close()));
    await Promise.all(folders.map((made) => made.remove()));
  });

  const issued = (): readonly Canary[] => tokens.map((value, index) => ({ name: `token ${index + 1}`, value }));
  const isHandOut = ({ status, json }: Received) => status === 200 && json?.['access_token'] !== undefined;
  const textOf = ({ rawHeaders, text }: Received) => `${rawHeaders.join('\n')}\n${text}`;

  it('provoked what it was to provoke', () => {
    expect(tokens.length).toBeGreaterThan(12);
    expect(answers.filter(isHandOut).length).toBeGreaterThan(10);
    const codes = new Set(answers.map(({ json }) => json?.['code']).filter((code) => code !== undefined));
    expect(codes.size).toBeGreaterThan(12);
    expect(ended.at(-1)?.stderr).toContain('A token was handed out.');
  });

  it('not in what was printed and logged', () => {
    const search = createCanarySearch([...planted, ...issued()]);
    for (const { stdout, stderr } of ended) expect(search(`${stdout}\n${stderr}`)).toEqual([]);
  });

  it('no more of a token in the log than 12 hex digits of its SHA-256', () => {
    const log = ended.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    const hashes = tokens.map((token) => createHash('sha256').update(token).digest('hex'));
    expect(hashes.filter((hash) => log.includes(hash.slice(0, 12))).length).toBeGreaterThan(5);
    expect(hashes.filter((hash) => log.includes(hash.slice(0, 13)))).toEqual([]);
  });

  it('not in any answer but hand-outs', () => {
    const search = createCanarySearch([...planted, ...issued()]);
    for (const answer of answers.filter((each) => !isHandOut(each))) expect(search(textOf(answer))).toEqual([]);
  });

  it('no credential in a hand-out', () => {
    const search = createCanarySearch(planted.filter(({ value }) => value !== person));
    for (const answer of answers.filter(isHandOut)) expect(search(textOf(answer))).toEqual([]);
  });

  it('not in the folder of --data', () => {
    expect(stored.length).toBeGreaterThan(1_000);
    expect(createCanarySearch([...planted, ...issued()])(stored)).toEqual([]);
  });
});

/** Every file of a folder, byte for character. */
async function bytesIn(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return contents.join('\n');
}
