import { afterAll, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { send } from '../local/demo/demo-client.ts';
import { type Answer, gistOf, headersOf, slotsOf, tokenOf } from './api-client.ts';
import { startOwnBroker } from './own-broker.ts';

const CALLERS = 200;

// Slow enough that everybody asks before the first login is answered.
const helpmaster = await startDemoHelpmaster({ knobs: { delayLoginMs: 300 } });
const community = await startDemoCommunity({ knobs: { delayLoginMs: 300 } });
const own = await startOwnBroker({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, renewalCooldownSeconds: 0 },
    wfm: { provider: 'community-web-api', baseUrl: community.baseUrl, renewalCooldownSeconds: 0 },
    young: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, secret: 'helpdesk' },
  },
  secrets: { helpdesk: demoHelpmasterSecret, wfm: demoCommunitySecret, young: demoHelpmasterSecret },
});
afterAll(async () => {
  await own.close();
  await Promise.all([helpmaster.close(), community.close()]);
});

function allAtOnce(ask: () => Promise<Answer>): Promise<readonly Answer[]> {
  return Promise.all(Array.from({ length: CALLERS }, ask));
}

const loginsOf = (upstream: { ledger(): { logins: { subject: string }[] } }, subject: string) =>
  upstream.ledger().logins.filter((login) => login.subject === subject).length;

/** One login for everybody, first on an empty slot and then on a rejected token. */
async function provesOneLogin(connection: string, subject: string, logins: () => number): Promise<readonly Answer[]> {
  const first = await allAtOnce(() => own.api.token(connection, subject));
  expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200]));
  const [dead = ''] = new Set(first.map(tokenOf));
  expect(new Set(first.map(tokenOf)).size).toBe(1);
  expect(logins()).toBe(1);
  expect(first.filter(({ json }) => json['source'] === 'login')).toHaveLength(1);

  const second = await allAtOnce(() => own.api.reject(connection, subject, dead));
  expect(new Set(second.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(second.map(({ json }) => json['generation']))).toEqual(new Set([2]));
  expect(second.map(tokenOf)).not.toContain(dead);
  expect(logins()).toBe(2);

  // Late reports of the same token cause nothing (invariant 16).
  const late = await own.api.reject(connection, subject, dead);
  expect(late.json).toMatchObject({ generation: 2, source: 'cache' });
  expect(logins()).toBe(2);
  return second;
}

it('invariants 3, 4, 16: 200 callers at once get a HelpMaster token of staff member 88 by one login, and again when it is rejected', async () => {
  const [handOut] = await provesOneLogin('helpdesk', '88', () => loginsOf(helpmaster, '88'));
  const call = await send(`${helpmaster.url}/jobs/MyOpenJobs`, { headers: headersOf(handOut as Answer) });
  expect(call).toMatchObject({ status: 200, json: { actingAs: { userid: '88' } } });
});

it('invariants 3, 4, 16: 200 callers at once get a Community token by one login, and again when it is rejected', async () => {
  const [handOut] = await provesOneLogin('wfm', 'system', () => loginsOf(community, 'system'));
  const call = await send(`${community.baseUrl}/AgentLogonReport`, { headers: headersOf(handOut as Answer) });
  expect(call.status).toBe(200);
  // C15, C17: a rejected token is dead, so it is not slid.
  expect(community.ledger().slides).toHaveLength(1);
});

it('invariant 8: callers of different subjects at once each get their own token', async () => {
  const subjects = ['system', '1', '42'];
  const answers = await Promise.all(
    subjects.flatMap((subject) => Array.from({ length: 20 }, () => own.api.token('helpdesk', subject))),
  );
  expect(new Set(answers.map(tokenOf)).size).toBe(subjects.length);
  for (const { json } of answers) {
    const [, payload = ''] = String(json['access_token']).split('.');
    const userid = /"userid":"([0-9]+)"/.exec(Buffer.from(payload, 'base64url').toString('latin1'))?.[1];
    if (json['subject'] !== 'system') expect(userid).toBe(json['subject']);
  }
  for (const subject of subjects) expect(loginsOf(helpmaster, subject)).toBe(1);
});

it('invariant 16: a token younger than renewalCooldownSeconds is not renewed on a word: 429, and no login', async () => {
  const token = tokenOf(await own.api.token('young', '42'));
  const before = helpmaster.ledger().logins.length;
  const answers = await Promise.all(Array.from({ length: 20 }, () => own.api.reject('young', '42', token)));
  expect(new Set(answers.map(gistOf))).toEqual(new Set(['429 renewal_throttled']));
  for (const { headers } of answers) expect(Number(headers['retry-after'])).toBeGreaterThan(50);
  expect(helpmaster.ledger().logins).toHaveLength(before);
  // Others go on getting it.
  expect(gistOf(await own.api.token('young', '42'))).toBe('200 cache');
});

it('invariant 16: a report of a token that was never issued is answered as a GET and causes no login', async () => {
  const before = helpmaster.ledger().logins.length;
  expect(gistOf(await own.api.reject('helpdesk', '88', 'never issued'))).toBe('200 cache');
  expect(helpmaster.ledger().logins).toHaveLength(before);
});

it('DELETE drops the token and clears back-off; the next caller gets a newer generation', async () => {
  const before = await own.api.token('helpdesk', '88');
  expect(await own.api.purge('helpdesk', '88')).toMatchObject({ status: 204, text: '' });
  expect(slotsOf(await own.api.connections('helpdesk')).find(({ subject }) => subject === '88')).toMatchObject({
    state: 'empty',
    issued_at: null,
    expires_at: null,
    refresh_at: null,
  });
  // Memory may serve for memorySeconds more; a report makes it look.
  const after = await own.api.reject('helpdesk', '88', tokenOf(before));
  expect(after.json).toMatchObject({ source: 'login' });
  expect(Number(after.json['generation'])).toBeGreaterThan(Number(before.json['generation']));
  expect(await own.api.purge('helpdesk', '2147483647')).toMatchObject({ status: 204 });
});
