import { createHash } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { AUDIT_TABLE } from '../../local/functions.ts';
import { CALLER } from '../../local/system.ts';
import { testClient } from '../functions/adapters/dynamodb/store-under-test.ts';
import { send } from '../local/demo/demo-client.ts';
import { gistOf, tokenOf } from '../system/api-client.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';

const UNAVAILABLE = '503 audit_unavailable';
const DAYS_90_MS = 90 * 86_400_000;
const STAFF = ['1', '2', '3', '4', '5', '6'];

const upstream = await startDemoHelpmaster({ knobs: { staff: STAFF } });
const system = await startSystemUnderTest({
  strictAudit: true,
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: upstream.baseUrl, proxy: { methods: ['GET'], paths: ['/'] } },
  },
  secrets: { helpdesk: demoHelpmasterSecret },
});
const api = system.api;
const client = testClient(system.controls.dynamodbEndpoint);
afterEach(() => system.controls.dynamodb.clear());
afterAll(async () => {
  client.destroy();
  await system.close();
  await upstream.close();
});

const loginsOf = (subject: string) => upstream.ledger().logins.filter((login) => login.subject === subject).length;
/** The audit table alone is put to: the slots are only ever updated. */
const breakAudit = () => system.controls.dynamodb.set('dynamodb', { mode: 'down', operation: 'PutItem' });

async function recordsOf(subject: string) {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: AUDIT_TABLE, ConsistentRead: true }));
  return Items.filter((item) => item['subject']?.S === subject);
}

describe('strictAudit', () => {
  it('invariant 10: every hand-out is in the audit table when its answer comes, those from memory too', async () => {
    const answers = [];
    for (let count = 1; count <= 3; count += 1) {
      answers.push(await api.token('helpdesk', '1'));
      expect(await recordsOf('1')).toHaveLength(count);
    }
    expect(answers.map(gistOf)).toEqual(['200 login', '200 cache', '200 cache']);
    const [first] = answers;
    const tokenHash = createHash('sha256')
      .update(first === undefined ? '' : tokenOf(first))
      .digest('hex');
    for (const item of await recordsOf('1')) {
      expect(item).toMatchObject({
        caller: { S: CALLER },
        connection: { S: 'helpdesk' },
        tokenHash: { S: tokenHash },
        generation: { N: '1' },
        secretVersion: { S: expect.any(String) },
        requestId: { S: expect.any(String) },
      });
      expect(Number(item['ttl']?.N) * 1000).toBeGreaterThan(Date.now() + DAYS_90_MS - 60_000);
      expect(Number(item['ttl']?.N) * 1000).toBeLessThanOrEqual(Date.now() + DAYS_90_MS + 1_000);
    }
    const sources = (await recordsOf('1')).map((item) => item['source']?.S ?? '');
    expect(sources.sort()).toEqual(['cache', 'cache', 'login']);
  });

  it('invariant 10: unavailable → 503 audit_unavailable and no token, from memory neither', async () => {
    const token = tokenOf(await api.token('helpdesk', '2'));
    breakAudit();
    const refused = await api.token('helpdesk', '2');
    expect(gistOf(refused)).toBe(UNAVAILABLE);
    expect(refused.text).not.toContain(token);
    expect(refused.headers['cache-control']).toBe('no-store');
    expect(gistOf(await api.reject('helpdesk', '2', 'never issued'))).toBe(UNAVAILABLE);

    system.controls.dynamodb.clear();
    expect(tokenOf(await api.token('helpdesk', '2'))).toBe(token);
    expect(loginsOf('2')).toBe(1);
  });

  it('a token minted while the audit is down is kept, so that asking again costs no further login', async () => {
    breakAudit();
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.token('helpdesk', '3')));
    expect(new Set(answers.map(gistOf))).toEqual(new Set([UNAVAILABLE]));
    expect(loginsOf('3')).toBe(1);
    expect(gistOf(await api.token('helpdesk', '3'))).toBe(UNAVAILABLE);
    expect(loginsOf('3')).toBe(1);
    expect(await recordsOf('3')).toEqual([]);

    system.controls.dynamodb.clear();
    expect(gistOf(await api.token('helpdesk', '3'))).toBe('200 cache');
    expect(loginsOf('3')).toBe(1);
  });

  it('a reply lost after the record was written is found to be its own: one record, one token', async () => {
    await api.token('helpdesk', '4');
    system.controls.dynamodb.set('dynamodb', { mode: 'lose-reply', operation: 'PutItem', count: 1 });
    expect(gistOf(await api.token('helpdesk', '4'))).toBe('200 cache');
    expect(await recordsOf('4')).toHaveLength(2);
  });

  it('the proxy forwards nothing that is not recorded', async () => {
    await api.token('helpdesk', '5');
    const calls = () => upstream.ledger().calls.length;
    const proxied = () => send(`${system.url}/proxy/helpdesk/5/jobs/MyOpenJobs`);
    expect((await proxied()).status).toBe(200);
    expect(await recordsOf('5')).toHaveLength(2);

    const before = calls();
    breakAudit();
    expect(await proxied()).toMatchObject({ status: 503, json: { code: 'audit_unavailable' } });
    expect(calls()).toBe(before);
  });

  it('invariant 9: neither table nor log holds a whole token or the credential', async () => {
    const token = tokenOf(await api.token('helpdesk', '6'));
    const { Items = [] } = await client.send(new ScanCommand({ TableName: AUDIT_TABLE, ConsistentRead: true }));
    const written = `${JSON.stringify(Items)}${system.log()}`;
    expect(written).not.toContain(token);
    expect(written).not.toContain(demoHelpmasterSecret.apiKey);
  });
});
