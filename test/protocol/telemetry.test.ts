import { describe, expect, it } from 'vitest';
import type { MetricValue } from '../../functions/core/words/platform.ts';
import { helpdeskConnection, workforceConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';
import { proxiedCalls } from './proxied-calls.ts';

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Everything that the functions of a world say from now on; all of them say it by one port. */
function heard({ operators: { telemetry } }: Pick<ReturnType<typeof harness>, 'operators'>) {
  const lines: Line[] = [];
  const metrics: Metric[] = [];
  telemetry.info = (message, fields) => lines.push({ message, fields });
  telemetry.warn = (message, fields) => lines.push({ message, fields });
  telemetry.metrics = (dimensions, values) => {
    for (const [name, { unit, value }] of Object.entries<MetricValue>(values))
      metrics.push({ name, unit, value, dimensions });
  };
  return {
    lines,
    /** The fields of the one line that says this. */
    line(message: RegExp): Line['fields'] | undefined {
      const found = lines.filter((line) => message.test(line.message));
      expect(found).toHaveLength(1);
      return found[0]?.fields;
    },
    metric: (name: string) => metrics.filter((each) => each.name === name).map(({ name: _, ...metric }) => metric),
  };
}

describe('what operators read', () => {
  it('of a token published: whose, which, from where, until when, and 12 digits of its hash', async () => {
    const made = harness();
    const { line } = heard(made);
    const { token } = await made.broker.handOut({ subject: '88' });

    expect(line(/token was published/)).toEqual({
      connection: 'helpdesk',
      subject: '88',
      generation: 1,
      source: 'login',
      tokenHash: token.hash.slice(0, 12),
      expiresAt: new Date(token.expiresAt).toISOString(),
    });
  });

  it('of a failed attempt: whose, the code, and how long it is left alone', async () => {
    const made = harness();
    const { line, metric } = heard(made);
    made.upstream.planned.push('broken');
    await made.broker.refusal({ subject: '88' });

    expect(line(/attempt to get a token failed/)).toEqual({
      connection: 'helpdesk',
      subject: '88',
      code: 'upstream_login_ambiguous',
      retryAfterMs: 60_000,
    });
    const once = { unit: 'Count', value: 1 };
    expect(metric('BackOffs')).toEqual([
      { ...once, dimensions: { connection: 'helpdesk', code: 'upstream_login_ambiguous' } },
    ]);
    expect(metric('UpstreamFailures')).toEqual([{ ...once, dimensions: { connection: 'helpdesk' } }]);
    expect(metric('RefusedLogins')).toEqual([]);
  });

  it('of trouble that is not the upstream’s: a back-off, and no failure of the upstream', async () => {
    const made = harness();
    const { metric } = heard(made);
    made.weather.secrets.down = 1;
    await made.broker.refusal();

    expect(metric('BackOffs')).toHaveLength(1);
    expect(metric('UpstreamFailures')).toEqual([]);
  });

  it('of a login: one, how long it took, and that it was refused where it was', async () => {
    const made = harness();
    const { metric } = heard(made);
    const dimensions = { connection: 'helpdesk' };
    made.weather.upstream.answerMs = { least: 700, most: 700 };
    await made.broker.handOut();
    expect(metric('Logins')).toEqual([{ unit: 'Count', value: 1, dimensions }]);
    expect(metric('UpstreamLatency')).toEqual([{ unit: 'Milliseconds', value: 700, dimensions }]);
    expect(metric('RefusedLogins')).toEqual([]);
    made.upstream.rules.accepted.clear();
    await made.broker.refusal({ subject: '88' });

    expect(metric('RefusedLogins')).toEqual([{ unit: 'Count', value: 1, dimensions }]);
  });

  it('of a slide: one, whoever made it', async () => {
    const made = proxiedCalls();
    const { line, metric } = heard(made);
    const { broker, record, advance, time, call, script, answered } = made;
    await broker.handOut();
    await advance({ ms: (record().token?.refreshAt ?? 0) - time.now() });
    await broker.sweep();
    const slide = { unit: 'Count', value: 1, dimensions: { connection: 'wfm' } };
    expect(metric('Slides')).toEqual([slide]);
    await advance({ ms: (record().token?.refreshAt ?? 0) - time.now() });
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(metric('Slides')).toEqual([slide, slide]);
    expect(line(/slid token was taken up/)).toEqual({
      connection: 'wfm',
      subject: 'system',
      generation: 3,
      tokenHash: record().token?.hash.slice(0, 12),
    });
  });

  it('of a slide that could not be kept: whose', async () => {
    const sharing = proxiedCalls();
    const sharingHeard = heard(sharing);
    await sharing.broker.handOut();
    await sharing.advance({ ms: (sharing.record().token?.refreshAt ?? 0) - sharing.time.now() });
    sharing.store.failNext('adopt', 'down');
    sharing.script.push(() => sharing.answered(200, { value: 'slid-token' }));
    await sharing.call();
    expect(sharingHeard.line(/slid token could not be taken up/)).toEqual({ connection: 'wfm' });

    const alone = proxiedCalls({ connection: workforceConnection({ tokensOverlap: false }) });
    const aloneHeard = heard(alone);
    alone.store.failNext('publish', 'down');
    alone.script.push(() => alone.answered(200, { value: 'slid-token' }));
    await alone.call();
    expect(aloneHeard.line(/slid token could not be stored/)).toEqual({ connection: 'wfm' });
  });

  it('of a hand-out: from where, and the seconds that were left', async () => {
    const made = harness();
    const { metric } = heard(made);
    await made.broker.handOut();
    await made.advance({ hours: 1 });
    const { token } = await made.broker.handOut();

    expect(metric('HandOuts')).toEqual(
      ['login', 'cache'].map((source) => ({
        unit: 'Count',
        value: 1,
        dimensions: { connection: 'helpdesk', source },
      })),
    );
    const [, later] = metric('SecondsToExpiry');
    expect(later).toMatchObject({ unit: 'Seconds', dimensions: { connection: 'helpdesk', source: 'cache' } });
    expect(later?.value).toBe(Math.floor((token.expiresAt - 5_000 - made.time.now()) / 1_000));
  });

  it('of a wait for somebody else’s login: how long, and nothing where there was none', async () => {
    const made = harness({ instances: 2 });
    const { metric } = heard(made);
    made.weather.upstream.answerMs = { least: 3_000, most: 3_000 };
    const holder = made.broker.start({ on: 0 });
    await made.time.advance(100);
    const before = made.time.now();
    await made.broker.handOut({ on: 1 });
    const tookMs = made.time.now() - before;
    await made.time.settle(holder);
    const [waited, ...more] = metric('WaitForMint');

    expect(more).toEqual([]);
    expect(waited).toMatchObject({ unit: 'Milliseconds', dimensions: { connection: 'helpdesk' } });
    expect(waited?.value).toBeGreaterThan(2_500);
    expect(waited?.value).toBeLessThanOrEqual(tookMs);
  });

  it('of a stored token that does not decrypt: an alarm that names the item', async () => {
    const made = harness({ instances: 2 });
    const { token } = await made.broker.handOut();
    const stored = made.record().token;
    if (stored === undefined) throw new Error('there is no token');
    made.table.set('spoil', made.slot(), { ...made.record(), token: { ...stored, ciphertext: new Uint8Array(40) } });
    const { line, metric } = heard(made);
    await made.broker.handOut({ on: 1 });

    expect(metric('CiphertextRejected')[0]).toEqual({
      unit: 'Count',
      value: 1,
      dimensions: { connection: 'helpdesk' },
    });
    expect(line(/did not decrypt/)).toEqual({
      connection: 'helpdesk',
      subject: 'system',
      generation: 1,
      tokenHash: token.hash.slice(0, 12),
    });
  });

  it('of a purge: whose, and by whom', async () => {
    const made = harness();
    await made.broker.handOut();
    const { line } = heard(made);
    await made.broker.purge();

    expect(line(/slot was purged/)).toEqual({
      connection: 'helpdesk',
      subject: 'system',
      caller: 'operator',
      requestId: 'purge',
    });
  });

  it('of a rotation: of what, and how many back-offs it ended', async () => {
    const made = harness();
    made.upstream.planned.push('broken', 'broken');
    for (const subject of ['1', '2']) await made.broker.refusal({ subject });
    await made.broker.handOut({ subject: '3' });
    const { line } = heard(made);
    await made.broker.rotationEvent();

    expect(line(/secret has a new version/)).toEqual({ connection: 'helpdesk', backOffsEnded: 2 });
  });

  it('of a sweep: what was due, begun and left, by outcome; and no line of one with nothing to do', async () => {
    const made = harness({ connection: helpdeskConnection({ idleSeconds: 80_000 }) });
    const { line, lines, metric } = heard(made);
    await made.broker.sweep();
    expect(lines).toEqual([]);
    expect(metric('RefreshBacklog')).toEqual([{ unit: 'Count', value: 0, dimensions: {} }]);
    for (const subject of ['1', '2', '3']) await made.broker.handOut({ subject });
    await made.advance({ hours: 20 });
    made.upstream.planned.push('broken');
    await made.broker.sweep();

    expect(line(/sweep ended/)).toEqual({ due: 3, begun: 3, backlog: 0, published: 2, failed: 1 });
    expect(metric('SlotsSwept')).toEqual([
      { unit: 'Count', value: 1, dimensions: { outcome: 'failed' } },
      { unit: 'Count', value: 2, dimensions: { outcome: 'published' } },
    ]);
  });

  it('of what could not be written down: the failure, and the count of refused slots', async () => {
    const made = harness();
    await made.broker.handOut({ subject: '1' });
    const { line } = heard(made);
    const store = made.fleet.instances[0]?.store;
    store?.failNext('fail', 'down');
    made.upstream.planned.push('broken');
    await made.broker.refusal({ subject: '2' });
    expect(line(/failed attempt could not be written/)).toEqual({
      connection: 'helpdesk',
      code: 'upstream_login_ambiguous',
    });
    store?.failNext('recordRefusal', 'down');
    made.upstream.rules.accepted.clear();
    await made.broker.refusal({ subject: '3' });

    expect(line(/count of refused slots/)).toEqual({ connection: 'helpdesk' });
  });
});

/** How often each metric was counted, from now on. */
function counted({ operators: { telemetry } }: Pick<ReturnType<typeof harness>, 'operators'>) {
  const counts: Record<string, number> = {};
  telemetry.metrics = (dimensions, values) => {
    for (const name of Object.keys(values)) {
      expect(name !== 'CredentialRefused' || dimensions['connection'] === 'helpdesk').toBe(true);
      counts[name] = (counts[name] ?? 0) + 1;
    }
  };
  return counts;
}

it('invariant 5: each look at a refused secret counts as refused, and never as a failure of the upstream', async () => {
  const made = harness();
  const { broker, upstream, advance } = made;
  upstream.rules.accepted.clear();
  const counts = counted(made);
  await broker.refusal();
  expect(counts).toMatchObject({ RefusedLogins: 1, CredentialRefused: 1 });
  for (let look = 0; look < 5; look += 1) {
    await advance({ seconds: 11 });
    await broker.refusal();
  }

  expect(upstream.logins).toHaveLength(1);
  expect(counts).toMatchObject({ RefusedLogins: 1, CredentialRefused: 6 });
  expect(counts['UpstreamFailures']).toBeUndefined();
});

it('stops counting with the version that works', async () => {
  const made = harness();
  const { broker, upstream, advance } = made;
  upstream.rules.accepted.clear();
  const counts = counted(made);
  await broker.refusal();
  upstream.rules.accepted.add('mended');
  broker.rotateSecret('mended');
  await advance({ seconds: 11 });
  await broker.handOut();

  expect(counts).toMatchObject({ CredentialRefused: 1 });
});

it('counts what the upstream itself failed at as a failure of the upstream, and as no refusal', async () => {
  const made = harness();
  const counts = counted(made);
  made.upstream.planned.push('broken');
  await made.broker.refusal();

  expect(counts).toMatchObject({ UpstreamFailures: 1 });
  expect(counts['CredentialRefused']).toBeUndefined();
});
