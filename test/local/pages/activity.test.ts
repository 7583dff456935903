import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createObservability } from '../../../functions/adapters/observability.ts';
import { createActivity } from '../../../local/pages/activity.ts';

const record = {
  caller: 'arn:aws:iam::000000000000:user/local',
  connection: 'wfm',
  subject: 'system',
  tokenHash: 'ab'.repeat(32),
  generation: 3,
  secretVersion: 'v1',
  source: 'cache',
  requestId: 'r',
  at: 0,
} as const;

function harness() {
  let passed = '';
  let now = 1_000;
  const output = new Writable({
    write(chunk, _encoding, done) {
      passed += String(chunk);
      done();
    },
  });
  const activity = createActivity(output, () => now);
  const functions = createObservability({ broker: 'b', service: 's', output: activity.log });
  return { activity, functions, passed: () => passed, advance: (ms: number) => (now += ms) };
}

describe('the page’s counts from the log of the functions', () => {
  it('adds up the metrics of each connection', () => {
    const { activity, functions } = harness();
    const one = { unit: 'Count', value: 1 } as const;
    const took = { unit: 'Milliseconds', value: 9 } as const;
    functions.telemetry.metrics({ connection: 'wfm' }, { HandOuts: one }, { fields: { source: 'cache' } });
    functions.telemetry.metrics({ connection: 'wfm' }, { HandOuts: one }, { fields: { source: 'login' } });
    functions.telemetry.metrics({ connection: 'wfm' }, { LoginLatency: took });
    functions.telemetry.metrics({ connection: 'wfm' }, { SlideLatency: took });
    functions.telemetry.metrics({ connection: 'wfm', code: 'x' }, { BackOffs: one });
    functions.telemetry.metrics({}, { RefreshBacklog: one });

    expect(activity.countsOf('wfm')).toEqual({ handOuts: 2, logins: 1, slides: 1, failures: 1 });
    expect(activity.countsOf('helpdesk')).toEqual({ handOuts: 0, logins: 0, slides: 0, failures: 0 });
  });

  it('counts a proxied call that failed among the failures, and no other request', () => {
    const { activity, functions } = harness();
    const { telemetry } = functions;
    const error = { code: 'upstream_timeout', status: 504, requestId: 'r' };
    telemetry.info('A request was answered with an error.', { ...error, route: 'GET /proxy/wfm/{subject}/{path+}' });
    telemetry.info('A request was answered with an error.', { ...error, route: 'GET /tokens/{connection}/{subject}' });

    expect(activity.countsOf('wfm')).toMatchObject({ failures: 1 });
    expect(activity.events()).toMatchObject([{ kind: 'call', connection: 'wfm', code: 'upstream_timeout' }]);
  });

  it('keeps the audit records of the last thousand hand-outs, the latest first', () => {
    const { activity, functions } = harness();
    for (let generation = 1; generation <= 1_002; generation += 1) functions.audit.handOut({ ...record, generation });

    expect(activity.handOuts()).toHaveLength(1_000);
    expect(activity.handOuts()[0]).toMatchObject({ caller: record.caller, token: 'abababababab', generation: 1_002 });
    expect(activity.handOuts().at(-1)).toMatchObject({ generation: 3 });
  });

  it('joins like hand-outs that follow each other into one event', () => {
    const { activity, functions, advance } = harness();
    functions.audit.handOut(record);
    advance(500);
    functions.audit.handOut(record);
    functions.audit.handOut({ ...record, generation: 4 });

    expect(activity.events()).toMatchObject([
      { kind: 'hand-out', generation: 4, times: 1 },
      { kind: 'hand-out', generation: 3, times: 2, at: 1_500, token_hash: 'abababababab', source: 'cache' },
    ]);
  });

  it('recognizes logins, slides, refreshes, failures, purges and rotations in the log', () => {
    const { activity, functions } = harness();
    const { telemetry } = functions;
    const slot = { connection: 'wfm', subject: 'system' };
    telemetry.info('A token was published.', { ...slot, generation: 1, source: 'login', tokenHash: 'abc' });
    telemetry.info('A token was published.', { ...slot, generation: 2, source: 'slide', tokenHash: 'abd' });
    telemetry.info('A slid token was taken up.', { ...slot, generation: 3, tokenHash: 'abe' });
    telemetry.info('A token was published.', { ...slot, generation: 4, source: 'refresh', tokenHash: 'abf' });
    telemetry.warn('An attempt to get a token failed.', { ...slot, code: 'upstream_timeout' });
    telemetry.info('A slot was purged.', slot);
    telemetry.info('A secret has a new version.', { connection: 'wfm' });
    telemetry.info('A request was answered with an error.', { code: 'not_found' });

    const kinds = activity.events().map(({ kind }) => kind);
    expect(kinds).toEqual(['rotation', 'purge', 'failure', 'refresh', 'slide', 'slide', 'login']);
  });

  it('passes every byte on before the write returns, and ignores lines that are not JSON', () => {
    const { activity, functions, passed } = harness();
    activity.log.write('no JSON\n{"half":');
    activity.log.write(Buffer.from('1}\n{"audit":[]}\n{broken\n'));
    functions.audit.handOut(record);
    expect(passed().startsWith('no JSON\n{"half":1}\n{"audit":[]}\n{broken\n{')).toBe(true);
    expect(activity.events()).toHaveLength(1);
  });

  it('forgets the oldest events', () => {
    const { activity, functions } = harness();
    for (let generation = 1; generation <= 100; generation += 1) functions.audit.handOut({ ...record, generation });
    expect(activity.events()).toHaveLength(60);
    expect(activity.events()[0]).toMatchObject({ generation: 100 });
  });
});
