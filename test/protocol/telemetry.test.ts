import { describe, expect, it } from 'vitest';
import { helpdeskConnection, workforceConnection } from '../simulation/connections.ts';
import type { Said } from '../simulation/said.ts';
import { harness } from './harness.ts';
import { proxiedCalls } from './proxied-calls.ts';

const HELPDESK = { connection: 'helpdesk' };
const WFM = { connection: 'wfm' };

/** The fields of the one line that says this. */
function line({ lines }: Said, message: RegExp): Readonly<Record<string, unknown>> | undefined {
  const found = lines.filter((each) => message.test(each.message));
  expect(found).toHaveLength(1);
  return found[0]?.fields;
}

function metric({ metrics }: Said, wanted: string) {
  return metrics.filter(({ name }) => name === wanted).map(({ name: _, ...rest }) => rest);
}

/** One metric of a connection for all functions, of how long it took. */
function took(value: unknown, dimensions: Readonly<Record<string, string>>) {
  return { unit: 'Milliseconds', value, dimensions, isShared: true };
}

/** Repeats a count of 1 with these dimensions. */
function counted(times: number, dimensions: Readonly<Record<string, string>>) {
  return Array(times).fill({ unit: 'Count', value: 1, dimensions });
}

describe('telemetry of minting', () => {
  it('tells of a published token: slot, source, end and 12 digits of its hash', async () => {
    const { broker, said } = harness();
    const { token } = await broker.handOut({ subject: '88' });

    expect(line(said, /token was published/)).toEqual({
      ...HELPDESK,
      subject: '88',
      generation: 1,
      source: 'login',
      tokenHash: token.hash.slice(0, 12),
      expiresAt: new Date(token.expiresAt).toISOString(),
    });
  });

  it('tells of a failed attempt: slot, code and how long it is left alone', async () => {
    const { broker, upstream, said } = harness();
    upstream.planned.push('broken');
    await broker.refusal({ subject: '88' });
    const code = 'upstream_login_ambiguous';

    expect(line(said, /attempt to get a token failed/)).toEqual({
      ...HELPDESK,
      subject: '88',
      code,
      retryAfterMs: 60_000,
    });
    expect(metric(said, 'BackOffs')).toEqual(counted(1, { ...HELPDESK, code }));
    expect(metric(said, 'UpstreamFailures')).toEqual(counted(1, HELPDESK));
    for (const name of ['RefusedLogins', 'CredentialRefused']) expect(metric(said, name)).toEqual([]);
  });

  it('counts trouble of the platform as a back-off, and as no failure of the upstream', async () => {
    const { broker, weather, said } = harness();
    weather.secrets.down = 1;
    await broker.refusal();

    expect(metric(said, 'BackOffs')).toHaveLength(1);
    expect(metric(said, 'UpstreamFailures')).toEqual([]);
  });

  it('counts a login, and says how long it took', async () => {
    const { broker, weather, said } = harness();
    weather.upstream.answerMs = { least: 700, most: 700 };
    await broker.handOut();

    expect(metric(said, 'LoginLatency')).toEqual([took(700, HELPDESK)]);
    expect(metric(said, 'RefusedLogins')).toEqual([]);
  });

  it('counts each look at a refused secret as refused, never as a failure (invariant 5)', async () => {
    const { broker, upstream, advance, said } = harness();
    upstream.rules.accepted.clear();
    for (let look = 0; look < 6; look += 1) {
      await broker.refusal();
      await advance({ seconds: 11 });
    }
    upstream.rules.accepted.add('mended');
    broker.rotateSecret('mended');
    await broker.handOut();

    expect(metric(said, 'RefusedLogins')).toMatchObject(counted(1, HELPDESK));
    expect(metric(said, 'CredentialRefused')).toEqual(counted(6, HELPDESK));
    expect(metric(said, 'UpstreamFailures')).toEqual([]);
  });

  it('tells of a failure and of a refusal that could not be written down', async () => {
    const { broker, upstream, failNext, beforeNext, advance, said } = harness();
    failNext('fail', 'down');
    upstream.planned.push('broken');
    await broker.refusal({ subject: '2' });
    await advance({ minutes: 2 });
    upstream.rules.accepted.clear();
    beforeNext('changeLogins', () => {});
    failNext('changeLogins', 'down');
    await broker.refusal({ subject: '3' });

    expect(line(said, /failed attempt could not be written/)).toEqual({
      ...HELPDESK,
      code: 'upstream_login_ambiguous',
    });
    expect(line(said, /end of a login could not be written/)).toEqual(HELPDESK);
  });
});

describe('telemetry of slides', () => {
  it('counts each slide, whoever made it, and tells of the one taken up', async () => {
    const { broker, record, advance, time, call, script, answered, said } = proxiedCalls();
    const untilRefreshAt = () => advance({ ms: (record().token?.refreshAt ?? 0) - time.now() });
    await broker.handOut();
    await untilRefreshAt();
    await broker.sweep();
    expect(metric(said, 'SlideLatency')).toEqual([took(expect.any(Number), WFM)]);
    await untilRefreshAt();
    script.push(() => answered(200, { value: 'slid-token' }));
    const before = time.now();
    await call();

    const [ofMint, ofProxy] = metric(said, 'SlideLatency');
    expect([ofMint, ofProxy]).toEqual(Array(2).fill(took(expect.any(Number), WFM)));
    expect(ofProxy?.value).toBeGreaterThanOrEqual(0);
    expect(ofProxy?.value).toBeLessThanOrEqual(time.now() - before);
    expect(line(said, /slid token was taken up/)).toEqual({
      ...WFM,
      subject: 'system',
      generation: 3,
      tokenHash: record().token?.hash.slice(0, 12),
    });
  });

  it('names the connection of a slide that could not be kept', async () => {
    const sharing = proxiedCalls();
    await sharing.broker.handOut();
    await sharing.advance({ ms: (sharing.record().token?.refreshAt ?? 0) - sharing.time.now() });
    sharing.failNext('adopt', 'down');
    sharing.script.push(() => sharing.answered(200, { value: 'slid-token' }));
    await sharing.call();
    expect(line(sharing.said, /slid token could not be taken up/)).toEqual(WFM);

    const alone = proxiedCalls({ connection: workforceConnection({ tokensOverlap: false }) });
    await alone.call();
    alone.failNext('publish', 'down');
    alone.script.push(() => alone.answered(200, { value: 'slid-token' }));
    await alone.call();
    expect(line(alone.said, /slid token could not be stored/)).toEqual(WFM);
  });
});

describe('telemetry of hand-outs', () => {
  it('says how long a caller waited for another’s login, and nothing where none waited', async () => {
    const { broker, weather, time, said } = harness({ instances: 2 });
    weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const holder = broker.start({ on: 0 });
    await time.advance(100);
    const before = time.now();
    await broker.handOut({ on: 1 });
    const tookMs = time.now() - before;
    await time.settle(holder);
    const [waited, ...more] = metric(said, 'WaitForMint');

    expect(more).toEqual([]);
    expect(waited).toMatchObject({ unit: 'Milliseconds', dimensions: {}, fields: HELPDESK });
    expect(waited?.value).toBeGreaterThan(2_500);
    expect(waited?.value).toBeLessThanOrEqual(tookMs);
  });

  it('raises an alarm that names the item of a token that does not decrypt', async () => {
    const { broker, putToken, said } = harness({ instances: 2 });
    const { token } = await broker.handOut();
    putToken({ ciphertext: new Uint8Array(40) });
    await broker.handOut({ on: 1 });

    expect(metric(said, 'CiphertextRejected')[0]).toEqual(counted(1, HELPDESK)[0]);
    expect(line(said, /did not decrypt/)).toEqual({
      ...HELPDESK,
      subject: 'system',
      generation: 1,
      tokenHash: token.hash.slice(0, 12),
    });
  });
});

describe('telemetry of operators and of the schedule', () => {
  it('tells of a purge: the slot, and by whom', async () => {
    const { broker, said } = harness();
    await broker.handOut();
    await broker.purge();

    expect(line(said, /slot was purged/)).toEqual({
      ...HELPDESK,
      subject: 'system',
      caller: 'operator',
      requestId: 'purge',
    });
  });

  it('tells of a rotation: the connection, how many back-offs it ended, and who proves the version', async () => {
    const { broker, upstream, said } = harness();
    await broker.handOut({ subject: '3' });
    upstream.planned.push('broken', 'broken');
    for (const subject of ['1', '2']) await broker.refusal({ subject });
    broker.rotateSecret('other');
    await broker.rotationEvent();
    await broker.rotationEvent('version-1');

    const lines = said.lines.filter(({ message }) => message === 'A secret has a new version.');
    expect(lines.map(({ fields }) => fields)).toEqual([
      { ...HELPDESK, backOffsEnded: 2, provedBy: '3' },
      { ...HELPDESK, backOffsEnded: 0 },
    ]);
  });

  it('tells of a sweep what was due, begun and left, and has no line and no metric for one with nothing to do', async () => {
    const { broker, upstream, advance, said } = harness({ connection: helpdeskConnection({ idleSeconds: 80_000 }) });
    await broker.sweep();
    expect(said.lines).toEqual([]);
    expect(said.metrics).toEqual([]);
    for (const subject of ['1', '2', '3']) await broker.handOut({ subject });
    await advance({ hours: 20 });
    upstream.planned.push('broken');
    await broker.sweep();

    expect(line(said, /sweep ended/)).toEqual({ due: 3, begun: 3, backlog: 0, published: 2, failed: 1 });
    expect(metric(said, 'RefreshBacklog')).toEqual([{ unit: 'Count', value: 0, dimensions: {} }]);
    expect(metric(said, 'SlotsSwept')).toEqual([
      { unit: 'Count', value: 1, dimensions: { outcome: 'failed' } },
      { unit: 'Count', value: 2, dimensions: { outcome: 'published' } },
    ]);
  });
});
