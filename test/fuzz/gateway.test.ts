import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { replying, startRawUpstream, status, tokenAnswer } from '../faults/raw-upstream.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { type FuzzedRequest, operationsIn, requestsOf } from './openapi-requests.ts';
import { settingsOf, timeoutOf } from './runs.ts';

const RUNS = 400;
const API_KEY = 'canary-key-0d2b7f61-of-the-fuzzer';
const TOKEN = 'canary-token-9a44c1e7-of-the-fuzzer';
const SUBJECTS = ['system', '88', '42'];
/** Limit on the platform calls of one request: a mint, its hand-out, and a few reads. */
const MOST_CALLS = 24;
const ANSWERED_WITHIN_MS = 10_000;
/** Statuses of the HTTP API and Node's parser before an operation is found, and those that all operations share. */
const OF_ANY = ['400', '403', '404', '405', '413', '414', '415', '431'];

let deletes = 0;
const met = new Map<string, number>();

const upstream = await startRawUpstream({
  misbehave: (socket, request) => {
    void request.then((head) => {
      const isLogin = head.startsWith('POST /user/get');
      replying(isLogin ? tokenAnswer(TOKEN) : status('200 OK', [], '{}'))(socket, request);
    });
  },
});
const connection = { provider: 'helpmaster', baseUrl: `http://127.0.0.1:${upstream.port}` };
const system = await startSystemUnderTest({
  connections: {
    helpdesk: {
      ...connection,
      subjects: { system: true, staff: SUBJECTS.slice(1) },
      proxy: { methods: ['GET', 'HEAD', 'POST'], paths: ['/jobs'] },
    },
    plain: { ...connection, subjects: { system: true, staff: false } },
  },
  secrets: { helpdesk: { apiKey: API_KEY }, plain: { apiKey: API_KEY } },
});
afterAll(async () => {
  await system.close();
  await upstream.close();
});

it(
  'invariants 9, 17: whatever is asked of the API: an answer that the document has, no 500, no leak, little work',
  async () => {
    const operations = operationsIn(new URL('../../openapi.json', import.meta.url));
    expect(operations.length).toBeGreaterThan(10);
    const requests = requestsOf(operations, {
      connection: ['helpdesk', 'helpdesk', 'plain'],
      subject: SUBJECTS,
      path: ['jobs', 'jobs/MyOpenJobs', 'jobs/a%2Fb', 'user/getsystemtoken'],
      min_ttl: ['60', '300', '999999999'],
      next: ['abc', 'c3lzdGVt'],
    });
    await fc.assert(fc.asyncProperty(requests, expectSound), settingsOf(RUNS));

    // Requests that are refused at the door prove little.
    const shareOf = (code: string) => (met.get(code) ?? 0) / [...met.values()].reduce((sum, count) => sum + count, 0);
    expect(shareOf('200')).toBeGreaterThan(0.1);
    expect([...met.keys()]).toEqual(expect.arrayContaining(['204', '400', '403', '404', '415']));
    // Each slot logs in once, and once more after each DELETE.
    expect(upstream.logins()).toBeLessThanOrEqual(SUBJECTS.length + 1 + deletes);
    expect(upstream.logins()).toBeGreaterThan(0);
    expect(system.log()).not.toContain(API_KEY);
    expect(system.log()).not.toContain(TOKEN);
    expect(system.log()).not.toContain('Something unforeseen');
  },
  timeoutOf(RUNS),
);

async function expectSound(request: FuzzedRequest): Promise<void> {
  const before = callsSoFar();
  const began = performance.now();
  const { head, body } = await exchange(request);
  const code = /^HTTP\/1\.1 ([0-9]{3}) /.exec(head)?.[1] ?? 'none';
  met.set(code, (met.get(code) ?? 0) + 1);
  if (request.method === 'DELETE' && code === '204') deletes += 1;

  expect(code).not.toBe('500');
  const isForwarded =
    request.documented?.has('default') === true && !/^content-type: application\/problem/im.test(head);
  // The page and its files are no operations of the API.
  if (!isForwarded) expect([...OF_ANY, ...(request.documented ?? ['200'])]).toContain(code);
  expect(`${head}${body}`).not.toContain(API_KEY);
  if (code !== '200') expect(body).not.toContain(TOKEN);
  const handedOut = /"access_token":"([^"]*)"/.exec(body)?.[1];
  // Whatever callers send, only what the upstream issued comes out.
  if (handedOut !== undefined) expect(handedOut).toBe(TOKEN);
  expect(head.toLowerCase()).not.toContain('x-injected');
  expect(`${head}${body}`).not.toMatch(/node_modules|\.ts:\d|at async|token-broker-(?!upstream)[A-Za-z0-9]{6}/);
  if (/^content-type: application\/problem\+json/im.test(head) && body !== '') {
    // API Gateway leaves out the status where one answer of its own stands for several.
    expect({ status: Number(code), ...JSON.parse(body) }).toMatchObject({
      status: Number(code),
      code: expect.any(String),
    });
    expect(head.toLowerCase()).toContain('cache-control: no-store');
  }
  expect(callsSoFar() - before).toBeLessThanOrEqual(MOST_CALLS);
  expect(performance.now() - began).toBeLessThan(ANSWERED_WITHIN_MS);
}

function callsSoFar(): number {
  const counts = [system.controls.dynamodb.counts(), system.controls.aws.counts()].flatMap((all) => Object.values(all));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Sends a request as bytes and gives all that came back, whatever became of the connection. */
function exchange({ method, target, headers, body }: FuzzedRequest): Promise<{ head: string; body: string }> {
  const { host, port } = new URL(system.url);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    '',
  ];
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(Number(port), '127.0.0.1');
    socket.setTimeout(ANSWERED_WITHIN_MS * 2, () => socket.destroy());
    socket.on('data', (chunk) => received.push(chunk));
    // An answer before the connection broke counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const text = Buffer.concat(received).toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      resolve({ head: end < 0 ? text : text.slice(0, end), body: end < 0 ? '' : text.slice(end + 4) });
    });
    socket.write(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]));
  });
}
