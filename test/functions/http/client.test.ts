import type { Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import type { HttpRequest } from '../../../functions/http/port.ts';
import { settingsOf } from '../../fuzz/runs.ts';
import { answer, answering, type Behaviour, type RawServer, startRawServer } from './raw-server.ts';

const LIMIT = 65_536;
const http = createUpstreamHttp();
const running: RawServer[] = [];

// Fake timers: on a busy machine the real timeout of a request could run out.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(behave: Behaviour): Promise<RawServer> {
  const server = await startRawServer(behave);
  running.push(server);
  return server;
}

function send(server: { readonly port: number }, change: Partial<HttpRequest> = {}) {
  const url = `http://127.0.0.1:${server.port}/login`;
  return http.send({ method: 'POST', url, headers: {}, body: 'secret=1', timeoutMs: 2_000, ...change });
}

describe('an answer', () => {
  it('comes with its status, every value of every header, and its body', async () => {
    const server = await serve(answering(answer(['X-Token: a', 'x-token: b', 'Date: now'], 'hello')));
    const result = await send(server);

    expect(result).toMatchObject({ kind: 'response', status: 200 });
    if (result.kind !== 'response') return;
    expect(result.headers['x-token']).toEqual(['a', 'b']);
    expect(result.body.toString()).toBe('hello');
  });

  it('is asked for once, over one connection that is not kept, with no compression', async () => {
    const server = await serve(answering(answer([], '')));
    await send(server, { headers: { 'content-type': 'text/plain' } });

    expect(server.connections()).toBe(1);
    const sent = server.received().toLowerCase();
    expect(sent.match(/post \/login http\/1\.1/g)).toHaveLength(1);
    expect(sent).toContain('connection: close');
    expect(sent).toContain('accept-encoding: identity');
    expect(sent).toContain('content-length: 8');
    expect(sent).not.toContain('transfer-encoding');
  });

  it('that redirects is an answer, and is not followed', async () => {
    const elsewhere = await serve(answering(answer([], 'stolen')));
    const head = `HTTP/1.1 307 -\r\nLocation: http://127.0.0.1:${elsewhere.port}/\r\nContent-Length: 0\r\n\r\n`;
    const server = await serve(answering(head));

    expect(await send(server)).toMatchObject({ kind: 'response', status: 307 });
    expect(elsewhere.connections()).toBe(0);
  });

  it.each([
    ['gzip', gzipSync('packed')],
    ['deflate', deflateSync('packed')],
    ['deflate', deflateRawSync('packed')],
    ['br', brotliCompressSync('packed')],
    ['zstd', zstdCompressSync('packed')],
    ['GZip, identity', gzipSync('packed')],
    ['br, gzip', gzipSync(brotliCompressSync('packed'))],
    ['identity', Buffer.from('packed')],
    ['', Buffer.from('packed')],
  ])('in %s is decompressed, though nobody asked for it', async (encoding, body) => {
    const server = await serve(answering(answer([`Content-Encoding: ${encoding}`], body)));
    const result = await send(server);
    if (result.kind !== 'response') throw new Error(result.reason);
    expect(result.body.toString()).toBe('packed');
    expect(result.headers).not.toHaveProperty('content-encoding');
  });

  it('may be as large as the cap, and no byte larger', async () => {
    const fits = await serve(answering(answer([], Buffer.alloc(LIMIT))));
    expect(await send(fits)).toMatchObject({ kind: 'response' });
    const tooLarge = await serve(answering(answer([], Buffer.alloc(LIMIT + 1))));
    expect(await send(tooLarge)).toEqual({ kind: 'failure', reason: 'too_large', sent: true });
  });

  it('that never ends is cut off at the cap', async () => {
    const server = await serve((socket, request) => {
      request.then(() => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
        const more = () => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', more);
        more();
      });
    });
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'too_large', sent: true });
  });

  it('that is a gzip bomb is cut off at the cap', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000), { level: 9 });
    expect(bomb.length).toBeLessThan(LIMIT);
    const server = await serve(answering(answer(['Content-Encoding: gzip'], bomb)));
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'too_large', sent: true });
  });

  it.each([
    ['gzip', Buffer.from('not gzip at all')],
    ['gzip', gzipSync('cut short').subarray(0, 12)],
    ['rot13', Buffer.from('uryyb')],
    ['utf-8', Buffer.from('{}')],
    ['none', Buffer.from('{}')],
    ['deflate', Buffer.from('{}')],
  ])('whose %s cannot be undone comes as it is, with its header', async (encoding, body) => {
    const server = await serve(answering(answer([`Content-Encoding: ${encoding}`], body)));
    expect(await send(server)).toMatchObject({ body, headers: { 'content-encoding': [encoding] } });
  });

  it('keeps the codings that could not be undone, and no others', async () => {
    const server = await serve(answering(answer(['Content-Encoding: rot13, gzip'], gzipSync('uryyb'))));
    expect(await send(server)).toMatchObject({
      body: Buffer.from('uryyb'),
      headers: { 'content-encoding': ['rot13'] },
    });
  });

  it('that is a gzip bomb behind another coding is cut off at the cap', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(20_000_000), { level: 9 }));
    const server = await serve(answering(answer(['Content-Encoding: gzip, gzip'], bomb)));
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'too_large', sent: true });
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX-Token: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['a control character in a header', 'HTTP/1.1 200 OK\r\nX-Token: a\x01b\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
  ])('with %s is no answer', async (_, bytes) => {
    const server = await serve(answering(bytes));
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'protocol', sent: true });
  });

  it('with endless headers has too large a head', async () => {
    const lines = Array.from({ length: 700 }, (_, at) => `X-${at}: ${'y'.repeat(100)}`);
    const server = await serve(answering(answer(lines, '')));
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'head_too_large', sent: true });
  });

  it('may have a head of 60 KB: a token of 16 KB, and more beside it', async () => {
    const lines = Array.from({ length: 15 }, (_, at) => `X-${at}: ${'y'.repeat(4_000)}`);
    const server = await serve(answering(answer([...lines, `X-Token: ${'t'.repeat(1_000)}`], '')));
    expect(await send(server)).toMatchObject({ kind: 'response', headers: { 'x-token': ['t'.repeat(1_000)] } });
  });

  it('of arbitrary bytes always ends in a value', async () => {
    let bytes = Buffer.alloc(0);
    const server = await serve((socket, request) => {
      request.then(() => socket.end(bytes));
    });
    const starts = ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 200 }), async (start, rest) => {
        bytes = Buffer.concat([Buffer.from(start), rest]);
        const result = await send(server, { timeoutMs: 1_000 });
        expect(['response', 'failure']).toContain(result.kind);
        if (result.kind === 'failure') expect(result.sent).toBe(true);
      }),
      settingsOf(60),
    );
  });
});

describe('time and connection', () => {
  it('a server that never answers: timeout, sent', async () => {
    const arrived = Promise.withResolvers<string>();
    const server = await serve((_socket, request) => arrived.resolve(request));
    const result = send(server, { timeoutMs: 100 });
    await arrived.promise;
    vi.advanceTimersByTime(100);
    expect(await result).toEqual({ kind: 'failure', reason: 'timeout', sent: true });
  });

  it('a body that drips on for ever: timeout, counted from the start and not from the last byte', async () => {
    const answering = Promise.withResolvers<Socket>();
    const server = await serve((socket, request) => {
      request.then(() => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n');
        answering.resolve(socket);
      });
    });
    const result = send(server, { timeoutMs: 150 });
    const socket = await answering.promise;
    for (let passedMs = 0; passedMs < 150; passedMs += 10) {
      await new Promise((sent) => socket.write('x', sent));
      vi.advanceTimersByTime(10);
    }
    expect(await result).toEqual({ kind: 'failure', reason: 'timeout', sent: true });
  });

  it('a handshake that never ends: timeout, not sent', async () => {
    const server = await serve(() => {});
    const url = `https://127.0.0.1:${server.port}/`;
    const result = http.send({ method: 'GET', url, headers: {}, timeoutMs: 100 });
    await expect.poll(server.received).not.toBe('');
    vi.advanceTimersByTime(100);
    expect(await result).toEqual({ kind: 'failure', reason: 'timeout', sent: false });
  });

  it('nobody listening: connect, not sent', async () => {
    expect(await send({ port: 1 })).toEqual({ kind: 'failure', reason: 'connect', sent: false });
  });

  it('a name that does not exist: dns, not sent', async () => {
    // A label of 64 letters is none (RFC 1035 §2.3.4), so that no resolver is asked, and none is waited for.
    const url = `http://${'x'.repeat(64)}.invalid/`;
    const result = await http.send({ method: 'GET', url, headers: {}, timeoutMs: 5_000 });
    expect(result).toMatchObject({ kind: 'failure', sent: false });
    if (result.kind === 'failure') expect(result.reason).toBe('dns');
  });

  it('a reset on accept counts as sent once the connection stood: whether it was read cannot be known', async () => {
    const server = await serve((socket) => socket.resetAndDestroy());
    // The reset may come before the connection is seen to stand, or after.
    expect([
      { kind: 'failure', reason: 'reset', sent: true },
      { kind: 'failure', reason: 'connect', sent: false },
    ]).toContainEqual(await send(server));
  });

  it('a reset after the request was read: reset, sent', async () => {
    const server = await serve((socket, request) => {
      request.then(() => socket.resetAndDestroy());
    });
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'reset', sent: true });
  });

  it('a body that breaks off: reset, sent', async () => {
    const server = await serve(answering('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'));
    expect(await send(server)).toEqual({ kind: 'failure', reason: 'reset', sent: true });
  });

  it.each([
    ['no URL', { url: 'nowhere' }],
    ['another scheme', { url: 'file:///etc/passwd' }],
    ['a header with a line break', { headers: { 'x-key': 'a\r\nb' } }],
    ['a header beyond Latin-1', { headers: { 'x-key': '€' } }],
  ])('%s: refused before anything is sent', async (_, change) => {
    const server = await serve(answering(answer([], '')));
    expect(await send(server, change)).toEqual({ kind: 'failure', reason: 'request', sent: false });
    expect(server.connections()).toBe(0);
  });
});
