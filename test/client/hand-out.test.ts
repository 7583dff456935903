import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { createTokenBrokerClient, TokenBrokerError } from '../../client/index.ts';
import { handOutBody, startStub } from './broker-stub.ts';

const stub = await startStub();
afterAll(() => stub.close());

const createClient = () => createTokenBrokerClient({ url: stub.url });
const handsOut = (token: string, change: Readonly<Record<string, unknown>> = {}) => ({
  body: handOutBody(token, Date.now(), change),
});
const asked = async (work: () => Promise<unknown>): Promise<number> => {
  const before = stub.requests.length;
  await work();
  return stub.requests.length - before;
};

describe('client.reject', () => {
  it('names it by its hash, keeps the new one, and reports once for many', async () => {
    stub.answer(handsOut('old'));
    const client = createClient();
    await client.token('wfm');
    stub.answer(handsOut('new', { generation: 2 }));
    const count = await asked(async () => {
      const all = await Promise.all(Array.from({ length: 50 }, () => client.reject('wfm', { token: 'old' })));
      expect(new Set(all.map(({ token }) => token))).toEqual(new Set(['new']));
    });
    expect(count).toBe(1);
    const rejected = createHash('sha256').update('old').digest('hex');
    expect(stub.requests.at(-1)).toMatchObject({ method: 'POST', body: JSON.stringify({ rejected }) });
    expect(await asked(() => client.token('wfm'))).toBe(0);
  });

  it('does not let an answer from before the rejection replace the new token', async () => {
    const held: (() => void)[] = [];
    const old = handOutBody('old', Date.now());
    stub.answer((_request, response) => {
      held.push(() => response.writeHead(200).end(JSON.stringify(old)));
    }, handsOut('new'));
    const client = createClient();
    const late = client.token('wfm');
    await expect.poll(() => held.length).toBe(1);
    await client.reject('wfm', { token: 'old' });
    held[0]?.();
    expect((await late).token).toBe('new');
    expect((await client.token('wfm')).token).toBe('new');
  });
});

describe('a hand-out in output', () => {
  it('prints a hand-out without its token', async () => {
    stub.answer(handsOut('canary-1f2e'));
    const handOut = await createClient().token('wfm');
    for (const shown of [
      inspect(handOut, { showHidden: false }),
      JSON.stringify(handOut),
      `${handOut}`,
      inspect({ ...handOut }),
    ]) {
      expect(shown).not.toContain('canary-1f2e');
    }
    expect(inspect(handOut)).toContain(handOut.tokenHash);
    expect({ ...handOut.headers }).toEqual({ WFMSGAPIKEY: 'canary-1f2e' });
  });

  it('has the query and the address of the API where the broker gives them, and prints no token in a query', async () => {
    const placed = { headers: {}, query: { key: 'canary-1f2e' }, base_url: 'https://na7.example.com/api' };
    stub.answer(handsOut('canary-1f2e', placed));
    const handOut = await createClient().token('wfm');
    expect([{ ...handOut.query }, handOut.baseUrl]).toEqual([placed.query, placed.base_url]);
    expect(handOut.toWire()).toMatchObject(placed);
    expect(inspect(handOut) + JSON.stringify(handOut)).not.toContain('canary-1f2e');
    stub.answer(handsOut('canary-1f2e'));
    expect((await createClient().token('wfm')).baseUrl).toBeUndefined();
  });

  it.each([
    ['in JSON that is cut short', { body: '{"access_token":"canary-1f2e"' }],
    ['in JSON of another shape', { body: { access_token: 'canary-1f2e', headers: 5 } }],
    ['in an error of something in between', { status: 500, body: 'canary-1f2e' }],
    ['in a message of a gateway', { status: 403, body: { message: 'canary-1f2e' } }],
  ])('quotes nothing of a token that comes %s', async (_name, answer) => {
    stub.answer(answer);
    const error = await createClient()
      .token('wfm')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TokenBrokerError);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary-1f2e');
  });
});
