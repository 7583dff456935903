import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { listenAsLocalhost } from '../../client/localhost.ts';

const hasV6 = (networkInterfaces()['lo'] ?? networkInterfaces()['lo0'] ?? []).some(({ address }) => address === '::1');

/** Asks `host` for its page, and gives the status, or the code of the error. */
async function ask(host: string, port: number, path = '/'): Promise<number | string | undefined> {
  const asked = request({ host, port, path, agent: false }).end();
  try {
    const [answer] = await once(asked, 'response');
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}

/** Takes a port of `::1`, as another user of the machine would. */
async function takeBeside(port: number) {
  const server = createTcpServer().listen(port, '::1');
  await once(server, 'listening');
  return server;
}

describe.runIf(hasV6)('a server as localhost', () => {
  it('answers at both addresses of the name, and at neither once it is closed', async () => {
    const server = createServer((_request, response) => response.end('ok'));
    const { port, close } = await listenAsLocalhost(server, 0);
    expect([await ask('127.0.0.1', port), await ask('::1', port)]).toEqual([200, 200]);

    await expect(takeBeside(port)).rejects.toThrow('EADDRINUSE');
    await close();
    expect([await ask('127.0.0.1', port), await ask('::1', port)]).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
  });

  it('is closed once what it is asked at both addresses is answered', async () => {
    const waiting: (() => void)[] = [];
    const server = createServer((_request, response) => waiting.push(() => response.end('ok')));
    const { port, close } = await listenAsLocalhost(server, 0);
    const answers = ['127.0.0.1', '::1'].map((host) => ask(host, port));
    while (waiting.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));

    let isClosed = false;
    const closing = close().then(() => {
      isClosed = true;
    });
    waiting[0]?.();
    await Promise.race(answers);
    expect(isClosed).toBe(false);
    waiting[1]?.();
    expect(await Promise.all(answers)).toEqual([200, 200]);
    await closing;
  });

  it('is refused a port that somebody has at the other address, and holds neither', async () => {
    const probe = createTcpServer().listen(0, '::1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    const server = createServer();
    await expect(listenAsLocalhost(server, port)).rejects.toThrow('EADDRINUSE');
    expect(await ask('127.0.0.1', port)).toBe('ECONNREFUSED');
    probe.close();
  });

  it('takes another port, where any will do, if somebody has the first at the other address', async () => {
    const server = createServer();
    const other = createTcpServer();
    server.once('listening', () => other.listen((server.address() as AddressInfo).port, '::1'));
    const { port, close } = await listenAsLocalhost(server, 0);
    expect(port).not.toBe((other.address() as AddressInfo).port);
    await expect(takeBeside(port)).rejects.toThrow('EADDRINUSE');
    await close();
    other.close();
  });

  it('limits connections at the second address too', async () => {
    const server = createServer();
    server.maxConnections = 1;
    const { port, close } = await listenAsLocalhost(server, 0);
    const first = connect(port, '::1');
    await once(first, 'connect');
    await once(connect(port, '::1').resume(), 'close');
    expect(first.readyState).toBe('open');
    first.destroy();
    await close();
  });
});
