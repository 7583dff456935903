import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import {
  answer,
  answering,
  type Certificate,
  type RawServer,
  selfSigned,
  startRawServer,
  startRawTlsServer,
} from './raw-server.ts';

const http = createUpstreamHttp();
const running: RawServer[] = [];
let forLocalhost: Certificate;
let forAnother: Certificate;

beforeAll(() => {
  forLocalhost = selfSigned('localhost');
  forAnother = selfSigned('another.example');
});

// Fake timers: on a busy machine the real timeout of a request could run out.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(certificate: Certificate): Promise<RawServer> {
  const server = await startRawTlsServer(certificate, answering(answer([], 'hello')));
  running.push(server);
  return server;
}

function login(server: RawServer, caCertificate?: string) {
  return http.send({
    method: 'POST',
    url: `https://localhost:${server.port}/login`,
    headers: { authorization: 'Basic credential' },
    body: 'credential',
    timeoutMs: 3_000,
    ...(caCertificate === undefined ? {} : { caCertificate }),
  });
}

describe('TLS', () => {
  it('takes a certificate that the connection declares', async () => {
    const result = await login(await serve(forLocalhost), forLocalhost.cert);
    expect(result.kind === 'response' && result.body.toString()).toBe('hello');
  });

  it.each([
    ['that nobody vouches for', () => forLocalhost, () => undefined],
    ['of another name', () => forAnother, () => forAnother.cert],
  ])('sends nothing to a server with a certificate %s', async (_, certificate, trusted) => {
    const server = await serve(certificate());
    expect(await login(server, trusted())).toEqual({ kind: 'failure', reason: 'tls', sent: false });
    await server.idle();
    expect(server.received()).toBe('');
  });

  it('is not turned off by the environment', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const server = await serve(forLocalhost);
    expect(await login(server)).toEqual({ kind: 'failure', reason: 'tls', sent: false });
    await server.idle();
    expect(server.received()).toBe('');
  });

  it('to a server that speaks plain HTTP fails, and nothing was sent', async () => {
    const server = await startRawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    running.push(server);
    expect(await login(server)).toEqual({ kind: 'failure', reason: 'tls', sent: false });
    await server.idle();
    expect(server.received()).not.toContain('credential');
  });

  it('with a server that resets in the handshake is a failure to connect', async () => {
    const server = await startRawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    running.push(server);
    expect(await login(server)).toEqual({ kind: 'failure', reason: 'connect', sent: false });
  });

  it('trusts nobody where the declared certificate is no certificate', async () => {
    const result = await login(
      await serve(forLocalhost),
      '-----BEGIN CERTIFICATE-----\nnope\n-----END CERTIFICATE-----',
    );
    expect(result).toEqual({ kind: 'failure', reason: 'tls', sent: false });
  });
});
