import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openGateway, sendRaw } from './gateway-harness.ts';

function get(path: string, host: string, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers, '', ''].join('\r\n');
}

describe('the loopback guard', () => {
  it('lets loopback names with the port pass', async () => {
    const { gateway } = await openGateway();

    for (const name of ['127.0.0.1', 'localhost', 'LocalHost', '[::1]']) {
      const host = `${name}:${gateway.port}`;
      expect(await sendRaw(gateway.port, get('/tokens/a/b', host, `Origin: http://${host}`))).toMatch(
        /^HTTP\/1.1 204 /,
      );
    }
  });

  it('refuses every other Host and Origin, and runs nothing', async () => {
    const page = vi.fn();
    const { gateway, events } = await openGateway({ pages: new Map([['GET /', page]]) });
    const { port } = gateway;
    const own = `127.0.0.1:${port}`;

    const hosts = [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `localhost.:${port}`,
      `${own}@evil.example`,
      '',
    ];
    const origins = [
      'http://evil.example',
      'null',
      `https://${own}`,
      `http://evil.example:${port}`,
      `http://${own}.evil.example`,
    ];
    for (const path of ['/', '/tokens/a/b']) {
      for (const host of hosts) {
        expect(await sendRaw(port, get(path, host)), host).toMatch(
          /^HTTP\/1.1 403 [\s\S]*at 127\.0\.0\.1 or localhost[\s\S]*"invalid_request"/,
        );
      }
      for (const origin of origins) {
        expect(await sendRaw(port, get(path, own, `Origin: ${origin}`)), origin).toMatch(/^HTTP\/1.1 403 /);
      }
      expect(await sendRaw(port, get(path, own, 'Host: evil.example'))).toMatch(/^HTTP\/1.1 40[03] /);
      expect(await sendRaw(port, get(`http://evil.example${path}`, own))).toMatch(/^HTTP\/1.1 403 /);
    }
    expect(events).toEqual([]);
    expect(page).not.toHaveBeenCalled();
  });

  it('takes an absolute-form target with its own name', async () => {
    const { gateway, events } = await openGateway();
    const own = `127.0.0.1:${gateway.port}`;
    await sendRaw(gateway.port, get(`http://localhost:${gateway.port}/tokens/a/b?x=1`, own));

    expect(events[0]).toMatchObject({ path: '/tokens/a/b', queryStringParameters: { x: '1' } });
  });
});

describe('the gateway survives', () => {
  it.each([
    ['no HTTP at all', 'garbage\r\n\r\n', 400],
    ['a control character in the target', 'GET /tokens/a/\u0001 HTTP/1.1\r\nHost: HOST\r\n\r\n', 400],
    ['a control character in a header', 'GET /tokens/a/b HTTP/1.1\r\nHost: HOST\r\nX: \u0000\r\n\r\n', 400],
    ['a missing Host', 'GET /tokens/a/b HTTP/1.1\r\n\r\n', 400],
    ['a missing Host of HTTP/1.0', 'GET /tokens/a/b HTTP/1.0\r\n\r\n', 403],
    ['a path that does not decode', 'GET /tokens/a/%zz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', 400],
    ['a path of broken UTF-8', 'GET /tokens/a/%ff HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', 400],
    ['an asterisk for a target', 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', 400],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n', 400],
    [
      'length and chunks at once',
      'POST /oauth2/token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'two lengths',
      'POST /oauth2/token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
      400,
    ],
    [
      'an unknown transfer encoding',
      'POST /oauth2/token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: odd\r\n\r\nabc',
      400,
    ],
    [
      'a chunk of nonsense',
      'POST /oauth2/token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
  ])('%s', async (_what, text, status) => {
    const { gateway, events } = await openGateway();
    const answer = await sendRaw(gateway.port, text.replace('HOST', `127.0.0.1:${gateway.port}`));

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(events).toEqual([]);
    expect((await fetch(`${gateway.url}/tokens/a/b`)).status).toBe(204);
  });

  it('a client that goes away in the middle of its body', async () => {
    const { gateway, events, reports } = await openGateway();
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(`POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nContent-Length: 1000\r\n\r\nhalf`);
    await once(socket, 'connect');
    socket.resetAndDestroy();

    expect((await fetch(`${gateway.url}/tokens/a/b`)).status).toBe(204);
    expect(events.map((event) => event.path)).toEqual(['/tokens/a/b']);
    expect(reports).toEqual([]);
  });

  it('a client that goes away while the handler works', async () => {
    let finish: (result: unknown) => void = () => {};
    const pending = new Promise((resolve) => {
      finish = resolve;
    });
    const { gateway, events, reports } = await openGateway({
      handler: ({ path }) => (path.endsWith('slow') ? pending : Promise.resolve({ statusCode: 200, body: 'ok' })),
    });
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(get('/tokens/a/slow', `127.0.0.1:${gateway.port}`));
    await expect.poll(() => events.length).toBe(1);
    socket.resetAndDestroy();
    finish({ statusCode: 200, body: 'late' });

    expect(await (await fetch(`${gateway.url}/tokens/a/b`)).text()).toBe('ok');
    expect(reports).toEqual([]);
  });
});

describe('the limits', () => {
  it('answers 431 over 10,240 bytes of headers and keeps the connection', async () => {
    const { gateway, events } = await openGateway();
    const own = `127.0.0.1:${gateway.port}`;
    const tooMuch = `GET /tokens/a/b HTTP/1.1\r\nHost: ${own}\r\nX-Big: ${'x'.repeat(10_240)}\r\n\r\n`;
    const answers = await sendRaw(gateway.port, tooMuch, get('/tokens/a/c', own, `X-Big: ${'x'.repeat(10_000)}`));

    expect(answers).toMatch(/^HTTP\/1.1 431 [\s\S]*"code":"invalid_request"[^}]*\}HTTP\/1.1 204 /);
    expect(events.map((event) => event.path)).toEqual(['/tokens/a/c']);
  });

  it('answers 431 to a megabyte of headers and to a target as long', async () => {
    const { gateway } = await openGateway();
    const own = `127.0.0.1:${gateway.port}`;
    const big = 'x'.repeat(1024 * 1024);

    expect(await sendRaw(gateway.port, get('/tokens/a/b', own, `X-Big: ${big}`))).toMatch(/^HTTP\/1.1 431 /);
    expect(await sendRaw(gateway.port, get(`/tokens/a/${big}`, own))).toMatch(/^HTTP\/1.1 431 /);
    expect((await fetch(`${gateway.url}/tokens/a/b`)).status).toBe(204);
  });

  it('passes a body of a megabyte whole', async () => {
    const { gateway, events } = await openGateway();
    const body = 'é'.repeat(512 * 1024);
    const response = await fetch(`${gateway.url}/oauth2/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body,
    });

    expect(response.status).toBe(204);
    expect(events[0]?.body).toBe(Buffer.from(body).toString('base64'));
  });

  it.each([
    ['the API’s 10 MB', 'application/json', 10 * 1024 * 1024 + 1],
    ['Lambda’s 6 MB once in base64', 'text/plain', 5 * 1024 * 1024],
  ])('answers 413 over %s and keeps the connection', async (_what, contentType, size) => {
    const { gateway, events } = await openGateway();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const send = (body: Buffer) =>
      new Promise<{ status: number | undefined; text: string; reused: boolean }>((resolve, reject) => {
        const options = {
          method: 'POST',
          agent,
          headers: { 'Content-Type': contentType, 'Content-Length': body.length },
        };
        const request = httpRequest(`${gateway.url}/oauth2/token`, options, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode, text, reused: request.reusedSocket }));
        });
        request.on('error', reject).end(body);
      });

    expect(await send(Buffer.alloc(size, 'x'))).toMatchObject({
      status: 413,
      text: expect.stringContaining('"code":"payload_too_large"'),
    });
    expect(events).toEqual([]);
    expect(await send(Buffer.from('{}'))).toMatchObject({ status: 204, reused: true });
  });

  it('closes on a client that was refused while it waited to be told to go on', async () => {
    const { gateway } = await openGateway();
    const answer = await sendRaw(
      gateway.port,
      `POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`,
    );

    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect(answer).toMatch(/connection: close/i);
  });

  it('never tells a client that announces too much to go on', async () => {
    const { gateway } = await openGateway();
    const answer = await sendRaw(
      gateway.port,
      `POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nContent-Length: 11000000\r\nExpect: 100-continue\r\n\r\n`,
    );

    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toMatch(/connection: close/i);
  });
});

describe('close', () => {
  it('lets a request in flight end and drops idle connections at once', async () => {
    let finish: (result: unknown) => void = () => {};
    const pending = new Promise((resolve) => {
      finish = resolve;
    });
    const onCut = vi.fn();
    const { gateway, events } = await openGateway({ handler: () => pending, onCut });
    const idle = connect(gateway.port, '127.0.0.1');
    await once(idle, 'connect');
    const inFlight = fetch(`${gateway.url}/tokens/a/b`);
    await expect.poll(() => events.length).toBe(1);

    const closed = gateway.close();
    await once(idle, 'close');
    finish({ statusCode: 200, body: 'done' });

    expect(await (await inFlight).text()).toBe('done');
    await closed;
    await expect(fetch(gateway.url)).rejects.toThrow();
    expect(onCut).not.toHaveBeenCalled();
  });

  it('waits no longer than two seconds for a handler that hangs, and says what it cut', async () => {
    const onCut = vi.fn();
    const { gateway, events } = await openGateway({ handler: () => new Promise(() => {}), onCut });
    const inFlight = fetch(`${gateway.url}/tokens/a/b`).catch(() => 'cut off');
    await expect.poll(() => events.length).toBe(1);

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = Promise.all([gateway.close(), gateway.close()]);
    vi.advanceTimersByTime(2_000);
    await closed;
    expect(await inFlight).toBe('cut off');
    expect(onCut.mock.calls).toEqual([[1]]);
  });

  it('rejects where the port is taken', async () => {
    const { gateway } = await openGateway();

    await expect(openGateway({ port: gateway.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
