import { describe, expect, it } from 'vitest';
import { createKeptLogin } from '../../../../functions/core/mint/kept.ts';
import { createMint } from '../../../../functions/core/mint/mint.ts';
import { createCandidateTry } from '../../../../functions/core/mint/try-candidate.ts';
import type { Upstream, UpstreamOutcome } from '../../../../functions/core/mint/upstream.ts';
import type { Connection } from '../../../../functions/core/slot/connection.ts';
import { changeLogins, type Logins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import type { MintReply } from '../../../../functions/core/slot/mint-message.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';
import { createMemoryKeptSecrets } from '../../../simulation/memory-kept-secrets.ts';
import { createMemoryCandidates, createMemorySecrets } from '../../../simulation/memory-secrets.ts';

/** `mint` by itself, invoked by the schedule, before an upstream whose answers the test writes; 200 by default. */
function minting(connection: Connection = helpdeskConnection(), needsSecret = false) {
  const made = harness({ connection });
  const { operators, time, put, slot, random, vault, keptVault, weather } = made;
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
    waysOf: () => {
      const renewal = { source: 'slide', needsSecret } as const;
      return { keepsClosed: false, ...(connection.maxSessionSeconds !== undefined && { renewal }) };
    },
    login: ({ timeoutMs }) => send('login', timeoutMs),
    renew: ({ timeoutMs }) => send('slide', timeoutMs),
    logout: async () => undefined,
  };
  const reading = { vault, process: operators.process, random, weather: weather.secrets };
  const secrets = createMemorySecrets(reading);
  const kept = { vault: keptVault, process: operators.process, random, weather: weather.kept };
  const loginWithKept = createKeptLogin({ ...operators, secrets, keptSecrets: createMemoryKeptSecrets(kept) });
  const tryCandidate = createCandidateTry({ ...operators, secrets, candidates: createMemoryCandidates(reading) });
  const mint = createMint({ ...operators, secrets, loginWithKept, tryCandidate, upstream });
  return {
    ...made,
    sent,
    script,
    token,
    /** Has the schedule mint for a slot in use. */
    mint(): Promise<MintReply> {
      put({ lastHandedOutAt: time.now() });
      return time.settle(mint({ ...slot(), trigger: 'schedule' }, connection));
    },
  };
}

/** The same with a session that is due. */
async function withSession(needsSecret = false) {
  const made = minting(workforceConnection(), needsSecret);
  await made.mint();
  await made.advance({ minutes: 12 });
  return {
    ...made,
    /** Has the version of the secret be known as refused. */
    refuseVersion() {
      const { table, connection } = made;
      const seen = table.logins(connection.name) ?? NO_LOGINS;
      const next: Logins = { ...seen, standing: 'refused' };
      table.writeLogins(connection.name, changeLogins(seen, next, 0));
    },
    /** Makes the next way to the keys take that long. */
    slowKeys: (ms: number) => made.beforeNext('decrypt', () => made.time.after(ms)),
  };
}

const sessionEnded: UpstreamOutcome = {
  ...{ kind: 'failure', code: 'upstream_invalid_response', backOff: 'unknown', detail: 'The session has ended.' },
  ended: true,
};

describe('createMint', () => {
  it('answers an outage of the store with it, and sends nothing', async () => {
    const { mint, weather, sent } = minting();
    weather.store.down = 1;

    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'store_unavailable', detail: expect.any(String) });
    expect(sent).toEqual([]);
  });

  it('records no failure of the slot for a fault of the broker', async () => {
    const { mint, beforeNext, record, sent } = minting();
    beforeNext('generate', () => Promise.reject(new TypeError('a fault of ours')));

    await expect(mint()).rejects.toThrow('a fault of ours');
    expect(record().failure).toBeUndefined();
    expect(sent).toEqual([]);
  });
});

describe('createMint, sliding', () => {
  it('sends no slide while the keys are down, and does not give the session up for it', async () => {
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

  it('sends no slide with too little time left to answer, which counts as a try', async () => {
    const { mint, slowKeys, sent, record } = await withSession();
    slowKeys(10_800);

    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'deadline_exceeded' });
    expect(sent).toHaveLength(1);
    expect(record()).toMatchObject({ tries: 0, renewalTries: 1, renewalFailure: { code: 'deadline_exceeded' } });
    expect(record().failure).toBeUndefined();
  });

  it('sends no login after a 401 to a slide where there is no time left for one', async () => {
    const { mint, slowKeys, sent, script, time, record } = await withSession();
    slowKeys(5_700);
    script.push(async () => {
      await time.after(5_200);
      return sessionEnded;
    });

    expect(await mint()).toMatchObject({ outcome: 'failed', detail: 'The session has ended.' });
    expect(sent.map(({ kind }) => kind)).toEqual(['login', 'slide']);
    expect(record()).toMatchObject({ generation: 1, rejectedGeneration: 1 });
  });

  it('sends no login after a 401 to a slide where the slot was purged meanwhile: its token would be discarded', async () => {
    const { mint, purgeItem, sent, script, record } = await withSession();
    script.push(() => {
      purgeItem();
      return sessionEnded;
    });

    expect(await mint()).toMatchObject({ outcome: 'failed', way: 'renewal' });
    expect(sent.map(({ kind }) => kind)).toEqual(['login', 'slide']);
    expect(record()).toMatchObject({ generation: 2, notBefore: 0, tries: 0 });
    expect(record().lease).toBeUndefined();
  });

  it('writes what came of a login that followed a slide as the login’s, by the logins’ own count', async () => {
    const { mint, put, script, token, record } = await withSession();
    put({ tries: 1 });
    script.push(() => sessionEnded);
    script.push(() => ({ ...token('too-short'), life: { seconds: 30 } }));
    const reply = await mint();

    expect(reply).toMatchObject({ outcome: 'failed', code: 'upstream_token_unusable', retryAfterMs: 60_000 });
    expect(reply).not.toHaveProperty('way');
    expect(record()).toMatchObject({ tries: 2, failure: { code: 'upstream_token_unusable' } });
    expect(record().renewalFailure).toBeUndefined();
  });

  it('counts no login after a slide that was not to be sent', async () => {
    const { mint, refuseVersion, script, sent, record } = await withSession();
    refuseVersion();
    script.push(() => sessionEnded);

    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'upstream_credential_rejected' });
    expect(sent.map(({ kind }) => kind)).toEqual(['login', 'slide']);
    expect(record()).toMatchObject({ tries: 0, failure: { code: 'upstream_credential_rejected' } });
  });

  it('sends no renewal with a refused version, and leaves the logins’ back-off as it is', async () => {
    const { mint, put, refuseVersion, sent, record, time } = await withSession(true);
    refuseVersion();
    const notBefore = time.now() + 900_000;
    put({ notBefore, tries: 5 });

    expect(await mint()).toMatchObject({ outcome: 'failed', way: 'renewal' });
    expect(sent).toHaveLength(1);
    expect(record()).toMatchObject({ notBefore, tries: 5, renewalTries: 1 });
  });

  it('looks at the secret as a login does where a renewal may not be sent with its version', async () => {
    const { mint, refuseVersion, sent, record } = await withSession(true);
    refuseVersion();

    expect(await mint()).toMatchObject({ code: 'upstream_credential_rejected', retryAfterMs: 10_000 });
    expect(sent).toHaveLength(1);
    expect(record()).toMatchObject({ tries: 0, failure: { code: 'upstream_credential_rejected' } });
  });

  it('slides a token while it is good enough to hand out, and a session up to its own end', async () => {
    const msBeforeLastUse = async (ms: number) => {
      const { record, time, advance, mint, sent } = await withSession();
      const lastUsedAt = (record().token?.usableUntil ?? 0) - 60_000;
      await advance({ ms: lastUsedAt - ms - time.now() });
      await mint();
      return sent.at(-1)?.kind;
    };
    expect(await msBeforeLastUse(1_000)).toBe('slide');
    expect(await msBeforeLastUse(-1)).toBe('login');

    const tooOld = minting(workforceConnection({ maxSessionSeconds: 700 }));
    await tooOld.mint();
    await tooOld.advance({ minutes: 12 });
    await tooOld.mint();
    expect(tooOld.sent.at(-1)?.kind).toBe('login');
  });
});

describe('createMint, logging in', () => {
  it('sends no login with too little time left to answer', async () => {
    const { mint, beforeNext, time, sent } = minting();
    beforeNext('generate', () => time.after(10_800));

    expect(await mint()).toMatchObject({ code: 'deadline_exceeded', detail: expect.stringMatching(/helpdesk/) });
    expect(sent).toEqual([]);
  });

  it('keeps with the token what the upstream says beside it (C11)', async () => {
    const { broker } = harness({ instances: 2 });
    await broker.handOut();

    expect((await broker.handOut({ on: 1 })).token.attributes).toEqual({ subject: 'system' });
  });

  it('tells operators, naming the connection, what is suspect of the credential', async () => {
    const { mint, script, token, said } = minting();
    script.push(() => ({ ...token('some-token'), warning: 'The password has a character that may be lost.' }));
    await mint();

    expect(said.warnings).toEqual(['The password has a character that may be lost.']);
    expect(said.lines[0]?.fields).toEqual({ connection: 'helpdesk' });
  });

  it('counts no login with a malformed secret, and looks at the secret within 10 s', async () => {
    const { mint, script, said, put } = minting();
    put({ tries: 12 });
    script.push(() => ({
      kind: 'failure',
      code: 'secret_invalid',
      backOff: 'not_judged',
      detail: 'It has no apiKey.',
    }));

    expect(await mint()).toMatchObject({ outcome: 'failed', code: 'secret_invalid', retryAfterMs: 10_000 });
    expect(said.metrics.filter(({ name }) => name.endsWith('Latency'))).toEqual([]);
  });
});
