import { describe, expect, it } from 'vitest';
import { createMint } from '../../../../functions/core/mint/mint.ts';
import type { Upstream, UpstreamOutcome } from '../../../../functions/core/mint/upstream.ts';
import type { Connection } from '../../../../functions/core/slot/connection.ts';
import type { MintReply } from '../../../../functions/core/slot/mint-message.ts';
import type { SlotRecord } from '../../../../functions/core/slot/record.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';
import { createMemorySecrets } from '../../../simulation/memory-secrets.ts';

/** `mint` by itself, invoked by the schedule, before an upstream whose answers the test writes; 200 by default. */
function minting(connection: Connection = helpdeskConnection()) {
  const made = harness({ connection });
  const { operators, time, table, record, slot, random, vault, weather } = made;
  const sent: { readonly kind: 'login' | 'slide'; readonly timeoutMs: number }[] = [];
  const script: (() => UpstreamOutcome | Promise<UpstreamOutcome>)[] = [];
  const token = (value: string): UpstreamOutcome => ({
    kind: 'token',
    value: new Secret(value),
    life: { seconds: 1_200 },
    requestStartedAt: operators.clock.now(),
  });
  const send = async (kind: 'login' | 'slide', timeoutMs: number): Promise<UpstreamOutcome> => {
    sent.push({ kind, timeoutMs });
    return (script.shift() ?? (() => token(`${kind}-${sent.length}`)))();
  };
  const upstream: Upstream = {
    canSlide: () => connection.maxSessionSeconds !== undefined,
    login: ({ timeoutMs }) => send('login', timeoutMs),
    slide: ({ timeoutMs }) => send('slide', timeoutMs),
  };
  const secrets = createMemorySecrets({ vault, process: operators.process, random, weather: weather.secrets });
  const mint = createMint({ ...operators, secrets, upstream });
  const put = (changed: Partial<SlotRecord>) => table.set('spoil', slot(), { ...record(), ...changed });
  return {
    ...made,
    keys: operators.keys,
    store: operators.store,
    sent,
    script,
    token,
    put,
    startMint: (): Promise<MintReply> => mint({ ...slot(), trigger: 'schedule' }, connection),
    /** Has the schedule mint for a slot in use. */
    mint(): Promise<MintReply> {
      put({ lastHandedOutAt: time.now() });
      return time.settle(mint({ ...slot(), trigger: 'schedule' }, connection));
    },
  };
}

/** The same with a session that is due. */
async function withSession() {
  const made = minting(workforceConnection());
  await made.mint();
  await made.advance({ minutes: 12 });
  const { keys, time } = made;
  return {
    ...made,
    /** Makes the way to the keys take that long. */
    slowKeys(ms: number) {
      const decrypt = keys.decrypt.bind(keys);
      keys.decrypt = (...all) => time.after(ms).then(() => decrypt(...all));
    },
  };
}

describe('an attempt that finds the store down', () => {
  it('is answered so, and sends nothing', async () => {
    const { mint, weather, sent, put } = minting();
    put({});
    weather.store.down = 1;

    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'store_unavailable', detail: expect.any(String) });
    expect(sent).toEqual([]);
  });
});

describe('an attempt with a fault of the broker', () => {
  it('is not written down as anybody’s failure', async () => {
    const { startMint, keys, put, record, time, sent } = minting();
    put({ lastHandedOutAt: time.now() });
    keys.generate = () => Promise.reject(new TypeError('a fault of ours'));

    await expect(time.settle(startMint())).rejects.toThrow('a fault of ours');
    expect(record().failure).toBeUndefined();
    expect(sent).toEqual([]);
  });
});

describe('a slide', () => {
  it('is not sent while the keys are down, and the session is not given up for it', async () => {
    const { mint, weather, sent, record, advance } = await withSession();
    weather.keys.down = 1;
    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'kms_unavailable' });
    expect(sent).toHaveLength(1);
    weather.keys.down = 0;
    await advance({ seconds: 2 });
    await mint();

    expect(sent.at(-1)?.kind).toBe('slide');
    expect(record().generation).toBe(2);
  });

  it('is not sent with too little time left to answer, which counts as a try', async () => {
    const { mint, slowKeys, sent, record } = await withSession();
    slowKeys(10_800);

    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'deadline_exceeded' });
    expect(sent).toHaveLength(1);
    expect(record()).toMatchObject({ tries: 1, failure: { code: 'deadline_exceeded' } });
  });

  it('answered 401 is followed by no login where there is no time left for one', async () => {
    const { mint, slowKeys, sent, script, time, record } = await withSession();
    slowKeys(5_700);
    script.push(async () => {
      await time.after(5_200);
      return {
        kind: 'failure',
        code: 'upstream_invalid_response',
        backOff: 'unknown',
        detail: 'The session has ended.',
        unauthorized: true,
      };
    });

    expect(await mint()).toMatchObject({ outcome: 'failed', detail: 'The session has ended.' });
    expect(sent.map(({ kind }) => kind)).toEqual(['login', 'slide']);
    expect(record()).toMatchObject({ generation: 1, rejectedGeneration: 1 });
  });

  it('is made of a token up to its end, and of a session up to its own', async () => {
    const lastMoment = await withSession();
    const { usableUntil = 0 } = lastMoment.record().token ?? {};
    await lastMoment.advance({ ms: usableUntil - 100 - lastMoment.time.now() });
    await lastMoment.mint();
    expect(lastMoment.sent.at(-1)?.kind).toBe('slide');

    const tooOld = minting(workforceConnection({ maxSessionSeconds: 700 }));
    await tooOld.mint();
    await tooOld.advance({ minutes: 12 });
    await tooOld.mint();
    expect(tooOld.sent.at(-1)?.kind).toBe('login');
  });
});

describe('what a login says beside the token', () => {
  it('stays with the token (C11)', async () => {
    const { broker } = harness({ instances: 2 });
    await broker.handOut();

    expect((await broker.handOut({ on: 1 })).token.attributes).toEqual({ subject: 'system' });
  });

  it('of the credential is told to operators, naming the connection', async () => {
    const { mint, script, token, operators, put } = minting();
    const warned: unknown[] = [];
    operators.telemetry.warn = (...all) => warned.push(all);
    script.push(() => ({ ...token('some-token'), warning: 'The password has a character that may be lost.' }));
    put({});
    await mint();

    expect(warned).toEqual([['The password has a character that may be lost.', { connection: 'helpdesk' }]]);
  });
});

describe('a secret that is not of the right shape', () => {
  const invalid = (): UpstreamOutcome => ({
    kind: 'failure',
    code: 'secret_invalid',
    backOff: 'not_judged',
    detail: 'It has no apiKey.',
  });

  it('has reached no upstream, so that no login is counted', async () => {
    const { mint, script, said, put } = minting();
    put({});
    script.push(invalid);
    await mint();
    expect(said.metrics.filter(({ name }) => name === 'Logins' || name === 'UpstreamLatency')).toEqual([]);
  });

  it('is looked at again within 10 s, however often that failed', async () => {
    const { mint, script, put } = minting();
    put({ tries: 12 });
    script.push(invalid);
    const reply = await mint();

    expect(reply).toMatchObject({ outcome: 'failed', code: 'secret_invalid', retryAfterMs: 10_000 });
  });
});
