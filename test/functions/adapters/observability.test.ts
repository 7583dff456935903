import { Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createObservability } from '../../../functions/adapters/observability.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

function observed() {
  const written: string[] = [];
  const output = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const { telemetry, audit } = createObservability({ broker: 'acme', service: 'token', output });
  return { telemetry, audit, written, lines: () => written.map((text) => JSON.parse(text)) };
}

const RECORD = {
  caller: 'arn:aws:iam::123456789012:role/reporting',
  connection: 'helpdesk',
  subject: '88',
  tokenHash: 'abcdef0123456789'.repeat(4),
  generation: 7,
  secretVersion: 'v1',
  source: 'cache',
  requestId: 'r1',
  at: Date.UTC(2026, 10, 22, 10),
} as const;

describe('the log', () => {
  it('has every hand-out before the call returns, its token by 12 digits of its hash', () => {
    const { audit, lines } = observed();
    void audit.handOut(RECORD);

    const { tokenHash, ...named } = RECORD;
    expect(lines()).toEqual([
      {
        level: 'INFO',
        message: 'A token was handed out.',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        service: 'token',
        audit: { ...named, token: 'abcdef012345', at: '2026-11-22T10:00:00.000Z' },
      },
    ]);
    expect(JSON.stringify(lines())).not.toContain(tokenHash);
  });

  it('is one line of JSON a record, whatever its fields hold', () => {
    const { telemetry, written, lines } = observed();
    telemetry.warn('Something.', { text: 'a\nb"c\u2028', count: 3, yes: true });

    expect(written).toHaveLength(1);
    expect(written[0]?.split('\n')).toHaveLength(2);
    expect(lines()[0]).toMatchObject({
      level: 'WARN',
      message: 'Something.',
      text: 'a\nb"c\u2028',
      count: 3,
      yes: true,
    });
  });

  it('lets no field pass for what names the line', () => {
    const { telemetry, lines } = observed();
    telemetry.info('Real.', { level: 'ERROR', message: 'Forged.', service: 'other', timestamp: 'never' });

    expect(lines()[0]).toMatchObject({ level: 'INFO', message: 'Real.', service: 'token' });
    expect(lines()[0].timestamp).not.toBe('never');
  });

  it('names the trace that the invocation belongs to', () => {
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1');
    const { telemetry, lines } = observed();
    telemetry.info('Traced.', {});

    expect(lines()[0]).toMatchObject({ xray_trace_id: '1-5759e988-bd862e3fe1be46a994272793' });
  });
});

describe('metrics', () => {
  it("are lines of CloudWatch's embedded metric format, by service and the dimensions given", () => {
    const { telemetry, lines } = observed();
    telemetry.metrics(
      { connection: 'helpdesk' },
      { LogoutLatency: { unit: 'Milliseconds', value: 500 }, Logouts: { unit: 'Count', value: 1 } },
    );

    expect(lines()).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number),
          CloudWatchMetrics: [
            {
              Namespace: 'acme',
              Dimensions: [['service', 'connection']],
              Metrics: [
                { Name: 'LogoutLatency', Unit: 'Milliseconds' },
                { Name: 'Logouts', Unit: 'Count' },
              ],
            },
          ],
        },
        service: 'token',
        connection: 'helpdesk',
        LogoutLatency: 500,
        Logouts: 1,
      },
    ]);
  });

  it('are one for all functions where they are shared, and have fields that make no metric', () => {
    const { telemetry, lines } = observed();
    telemetry.metrics(
      { connection: 'helpdesk' },
      { HandOuts: { unit: 'Count', value: 1 } },
      { isShared: true, fields: { source: 'cache', SecondsToExpiry: 500 } },
    );

    expect(lines()).toMatchObject([
      {
        _aws: {
          CloudWatchMetrics: [{ Dimensions: [['connection']], Metrics: [{ Name: 'HandOuts', Unit: 'Count' }] }],
        },
        service: 'token',
        connection: 'helpdesk',
        source: 'cache',
        HandOuts: 1,
        SecondsToExpiry: 500,
      },
    ]);
  });
});
