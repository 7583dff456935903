import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { createObservability } from '../../functions/adapters/observability.ts';
import { createTerminalLog } from '../../local/terminal-log.ts';

function harness() {
  let printed = '';
  const log = createTerminalLog(
    new Writable({
      write(chunk, _encoding, done) {
        printed += String(chunk);
        done();
      },
    }),
  );
  const functions = createObservability({ broker: 'b', service: 's', output: log });
  return { log, functions, lines: () => stripVTControlCharacters(printed).split('\n').slice(0, -1) };
}

afterEach(() => void vi.useRealTimers());

it('shows a hand-out in one short line, with its slot and token hash', () => {
  const { functions, lines } = harness();
  functions.audit.handOut({
    ...{ caller: 'arn:aws:iam::1:user/x', connection: 'wfm', subject: 'system', tokenHash: 'ab'.repeat(32) },
    ...{ generation: 3, secretVersion: 'v1', source: 'cache', via: 'proxy', requestId: 'r', at: 0 },
  });
  expect(lines()).toEqual([
    expect.stringMatching(
      /^\d\d:\d\d:\d\d {2}A token was handed out: wfm\/system {2}abababababab {2}generation 3 {2}cache {2}proxy$/,
    ),
  ]);
});

it('shows an error with its code, and no metrics', () => {
  const { functions, lines } = harness();
  functions.telemetry.metrics({ connection: 'wfm' }, { Logins: { unit: 'Count', value: 1 } });
  functions.telemetry.warn('An attempt to get a token failed.', { connection: 'wfm', code: 'upstream_timeout' });
  functions.telemetry.info('A request was answered with an error.', {
    code: 'not_found',
    status: 404,
    route: 'ANY /x',
  });
  expect(lines().map((line) => line.slice(10))).toEqual([
    'An attempt to get a token failed: wfm  upstream_timeout',
    'A request was answered with an error  404  not_found  ANY /x',
  ]);
});

it('passes what is not JSON of the functions, and joins what comes in pieces', () => {
  const { log, lines } = harness();
  log.write('warning: x\n{"a":1}\n{"message":"One.",');
  log.write('"timestamp":"2026-11-22T10:00:00Z"}\n');
  expect(lines()).toEqual(['warning: x', '{"a":1}', expect.stringMatching(/ {2}One$/)]);
});

it('counts lines like the last in place of showing them, so that a herd leaves the requests to copy in sight', () => {
  vi.useFakeTimers();
  const { functions, lines } = harness();
  const fail = (connection: string) =>
    functions.telemetry.warn('An attempt to get a token failed.', { connection, code: 'upstream_timeout' });
  const texts = () => lines().map((line) => line.slice(10));
  for (let each = 0; each < 200; each += 1) fail('wfm');
  expect(texts()).toEqual(['An attempt to get a token failed: wfm  upstream_timeout']);

  fail('helpdesk');
  fail('helpdesk');
  const told = [
    'An attempt to get a token failed: wfm  upstream_timeout',
    '… and 199 more like it',
    'An attempt to get a token failed: helpdesk  upstream_timeout',
  ];
  expect(texts()).toEqual(told);
  vi.advanceTimersByTime(1_000);
  expect(texts()).toEqual([...told, '… and 1 more like it']);
  fail('helpdesk');
  expect(texts().at(-1)).toBe('An attempt to get a token failed: helpdesk  upstream_timeout');
});
