import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { printable } from '../../client/printable.ts';
import { createTerminalLog } from '../../local/terminal-log.ts';
import { startAgentUnderTest } from '../client/agent/agent-under-test.ts';
import { handOutBody, startStub } from '../client/broker-stub.ts';
import { tokenBroker } from '../client/command-line.ts';

// Whoever answers in a broker's place, an upstream whose answer is shown, or a workload whose subject is logged. It
// writes orders to the terminal of whoever reads, and words that a shell takes for commands; or it ends the program.
const ESC = '\u001b';
/** Sets the title, hides what follows, changes colour by a C1 character, turns the line round, goes back over it. */
const ORDERS = `${ESC}]0;owned\u0007${ESC}[8m\u009b31m\u202e\u2028\u0090q\u009c\rfake$ ${ESC}[2J\u0085${ESC}[1m`;
const COLOURS = [1, 2, 22, 31, 32, 33, 36, 39];
const stub = await startStub();
afterAll(() => stub.close());
beforeEach(() => {
  stub.requests.length = 0;
});

/** Runs the command line at a terminal, and gives all that it printed. */
async function printed(...args: string[]): Promise<string> {
  const { stdout, stderr } = await tokenBroker(args, { url: stub.url, isTTY: true });
  return `${stdout}${stderr}`;
}

/** Expects that nothing but line breaks, tabs and this program's own colours is an order. */
function expectNoOrder(text: string) {
  const rest = COLOURS.reduce((left, code) => left.replaceAll(`${ESC}[${code}m`, ''), text);
  expect(rest).not.toMatch(/(?!\n|\t|\r\n)\p{Cc}|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
}

const at = new Date().toISOString();
const status = {
  ...{ name: 'wfm', provider: ORDERS, lifetime_seconds: 60, warning: ORDERS, secret: ORDERS, kept_secret: ORDERS },
  secret_fields: [{ name: ORDERS, kind: 'text', required: true }],
  subjects: { system: true, users: null },
  slots: [
    {
      ...{ subject: 'system', state: ORDERS, issued_at: null, expires_at: null, refresh_at: null, generation: 1 },
      ...{ last_error: { code: ORDERS, at, evidence: ORDERS }, warning: ORDERS },
    },
  ],
};
const tried = {
  ...{ connection: 'wfm', subject: 'system', provider: ORDERS, derived: [{ name: ORDERS, kind: ORDERS, length: 1 }] },
  steps: [
    {
      request: { method: 'POST', url: ORDERS, headers: { [ORDERS]: ORDERS }, body: ORDERS },
      answer: { status: 200, headers: { [ORDERS]: [ORDERS] }, body: { [ORDERS]: ORDERS } },
      reads: [],
    },
  ],
  result: { outcome: 'failed', code: 'x', detail: ORDERS, retry_after_seconds: null },
};
const record = { at, caller: ORDERS, connection: 'wfm', subject: ORDERS, token: ORDERS, generation: 1, source: ORDERS };
const upstreams = { headers: { 'token-broker-upstream': 'wfm', 'x-c1': 'a\u009b31mb' }, body: ORDERS };
const { name, provider, lifetime_seconds, warning } = status;

describe('what others wrote, printed at a terminal,', () => {
  it.each([
    ['connections', { connections: [{ name, provider, lifetime_seconds, warning }] }, ['connections']],
    ['a status', status, ['status', 'wfm']],
    ['a try', tried, ['try', 'wfm']],
    ['a try, as JSON', tried, ['try', 'wfm', '--json']],
    ['an audit', { records: [{ ...record, requestId: ORDERS }] }, ['audit']],
    ['an audit, as JSON', { records: [{ ...record, requestId: ORDERS }] }, ['audit', '--json']],
    ['a hand-out', handOutBody('t', Date.now(), { source: ORDERS }), ['token', 'wfm', '--json']],
    ['a finding', status, ['doctor', 'wfm']],
  ])('gives it no order: %s', async (_name, body, args) => {
    stub.answer({ body });
    const text = await printed(...args);
    expect(text).toMatch(/owned|finding/);
    expectNoOrder(text);
  });

  it.each([['-i'], ['--json'], ['--no-color']])('gives it no order: the answer to a call, %s', async (option) => {
    stub.answer(upstreams);
    const text = await printed('call', 'wfm', 'GET', '/x', option);
    expect(text).toContain('owned');
    expectNoOrder(text);
  });

  it('gives it no order: an error', async () => {
    stub.answer({ status: 500, body: { code: 'internal', detail: ORDERS, request_id: ORDERS } });
    expectNoOrder(await printed('token', 'wfm'));
    stub.answer({ status: 500, body: { code: ORDERS, detail: ORDERS } });
    expectNoOrder(await printed('token', 'wfm'));
  });

  it('gives it no order: a question at a prompt', async () => {
    stub.answer({ body: { ...status, credential: { standing: 'proven', takes_candidates: true } } });
    const args = ['secret', 'set', 'wfm', '--check'];
    const { code, stderr } = await tokenBroker(args, { url: stub.url, typed: ['\u0003'] });
    expect(code).toBe(130);
    expect(stderr).toContain('owned');
    expectNoOrder(stderr);
  });

  it('gives it no order: a log line of npm start, short or whole', () => {
    for (const isVerbose of [false, true]) {
      const written: string[] = [];
      const log = createTerminalLog({ write: (chunk: unknown) => written.push(String(chunk)) > 0 }, isVerbose);
      log.write(`${JSON.stringify({ level: 'INFO', message: 'Refused.', connection: ORDERS, code: ORDERS })}\n`);
      log.write(`${ORDERS}\n`);
      const text = written.join('');
      expect(text).toContain('owned');
      expectNoOrder(text);
    }
  });

  it.runIf(process.platform !== 'win32')('gives it no order: a warning and an error of npm start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-broker-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, `${ORDERS.replace('/', '')}.json`);
    await writeFile(file, '{"connections":{"desk":{"provider":"helpmaster","baseUrl":"https://desk.acme-corp.net"}}}');
    await chmod(file, 0o666);
    const flags = ['--port', '0', '--connections', file, '--secrets', `${file}.none`];
    const { status: code, stderr } = spawnSync(process.execPath, ['local/start.ts', ...flags], { encoding: 'utf8' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^warning: other users .*owned/m);
    expect(stderr.match(/owned/g)).toHaveLength(2);
    expectNoOrder(stderr);
  });

  it('is the same JSON as before', () => {
    const members = { text: ORDERS, [ORDERS]: [ORDERS] };
    expect(JSON.parse(printable(JSON.stringify(members)))).toEqual(members);
  });

  it('goes through a pipe as it came', async () => {
    stub.answer(upstreams);
    const { stdout } = await tokenBroker(['call', 'wfm', 'GET', '/x'], { url: stub.url });
    expect(stdout).toBe(ORDERS);
  });
});

describe('a shell', () => {
  it('is offered no name that it could take for a command', async () => {
    for (const odd of ['wfm$(touch x)', 'wfm;reboot', '`id`', '../../etc', '-rf', 'a b', '*']) {
      stub.answer({ body: { connections: [{ name: odd, provider: 'p', lifetime_seconds: 1 }] } });
      const { stdout } = await tokenBroker(['__complete', 'token', ''], { url: stub.url });
      expect(stdout).toBe('');
    }
  });

  it('gets no second line with a token or its header', async () => {
    for (const change of [
      { access_token: 'a\nb' },
      { access_token: `a${ESC}[2J` },
      { headers: { 'x\nhost': 'a' } },
      { headers: { 'x: y': 'a' } },
      { headers: { x: 'a\nb' } },
    ]) {
      stub.answer({ body: handOutBody('t', Date.now(), change) });
      for (const args of [
        ['token', 'wfm'],
        ['token', 'wfm', '--header'],
        ['token', 'wfm', '--env', 'X'],
        ['reject', 'wfm'],
      ]) {
        const { code, stdout } = await tokenBroker(args, { url: stub.url, stdin: 'dead' });
        expect([code, stdout]).toEqual([4, '']);
      }
    }
  });
});

describe('an answer that is none of a broker’s', () => {
  it.each([
    ['a code that no header can carry', { status: 500, body: { code: 'kaput✓', detail: 'x' } }],
    ['a cause that no header can carry', { status: 500, body: { code: 'internal', detail: 'x', cause: 'ü✓' } }],
    ['an error with the status of a success', { status: 200, body: { code: 'internal', detail: 'x' } }],
    ['an error with the status of a redirect', { status: 302, body: { code: 'internal', detail: 'x' } }],
  ])('does not end the agent: %s', async (_name, answer) => {
    const agent = await startAgentUnderTest(stub.url);
    stub.answer(answer);
    for (const path of ['/proxy/wfm/system/x', '/tokens/wfm/system']) {
      const { status: answered, json } = await agent.ask(path);
      expect([answered, json['code']]).toEqual([502, 'invalid_answer']);
    }
    expect((await agent.ask('/health')).status).toBe(200);
    await agent.close();
  });

  it('does not fill the memory of the command line', async () => {
    const piece = Buffer.alloc(1024 * 1024, 1);
    let sent = 0;
    stub.answer((_request, response) => {
      response.writeHead(200, { 'token-broker-upstream': 'wfm' });
      const more = (): void => {
        if (response.destroyed) return;
        sent += piece.length;
        response.write(piece, more);
      };
      more();
    });
    const { code, stdout, stderr } = await tokenBroker(['call', 'wfm', 'GET', '/x'], { url: stub.url });
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('longer than any of the broker');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });
});
