import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import { issueCertificate } from './issued-certificate.ts';
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
const running: Pick<RawServer, 'close'>[] = [];
const forLocalhost = selfSigned('localhost');
const forAnother = selfSigned('another.example');
const root = issueCertificate('Root', { isAuthority: true });
const intermediate = issueCertificate('Intermediate', { by: root, isAuthority: true });
const leaf = issueCertificate('localhost', { by: intermediate });
const withChain = { ...leaf, cert: `${leaf.cert}${intermediate.cert}` };
const expired = issueCertificate('localhost', { by: root, days: -1 });

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

function login(server: Pick<RawServer, 'port'>, caCertificate?: string) {
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
    ['an authority', withChain, root.cert],
    ['an intermediate, whose root nobody gave', leaf, intermediate.cert],
    ['an intermediate, though the server sends it too', withChain, intermediate.cert],
  ])('trusts %s that the connection declares', async (_, certificate, trusted) => {
    expect(await login(await serve(certificate), trusted)).toMatchObject({ kind: 'response' });
  });

  it('takes no certificate of a trusted intermediate for another name', async () => {
    const server = await serve(issueCertificate('another.example', { by: intermediate }));
    expect(await login(server, intermediate.cert)).toMatchObject({ reason: 'tls', fault: 'wrong_name' });
  });

  it.each([
    ['TLSv1.2', 'handshake'],
    ['TLSv1.3', 'client_certificate'],
  ] as const)('names a client certificate that is wanted (%s)', async (maxVersion, fault) => {
    const server = createTlsServer({ ...forLocalhost, requestCert: true, ca: root.cert, maxVersion });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    running.push({
      async close() {
        server.close();
      },
    });
    const { port } = server.address() as AddressInfo;
    expect(await login({ port }, forLocalhost.cert)).toEqual({
      ...{ kind: 'failure', reason: 'tls', sent: false, fault },
    });
  });

  it.each([
    ['that nobody vouches for', forLocalhost, undefined, 'self_signed'],
    ['of another name', forAnother, forAnother.cert, 'wrong_name'],
    ['that has expired', expired, root.cert, 'expired'],
    ['of an authority that is not trusted', withChain, forAnother.cert, 'unknown_issuer'],
    ['without the intermediate that leads to its authority', leaf, root.cert, 'unknown_issuer'],
    ['whose issuer nobody knows', leaf, undefined, 'incomplete_chain'],
  ])('sends nothing to a server with a certificate %s', async (_, certificate, trusted, fault) => {
    const server = await serve(certificate);
    expect(await login(server, trusted)).toEqual({ kind: 'failure', reason: 'tls', sent: false, fault });
    await server.idle();
    expect(server.received()).toBe('');
  });

  it('is not turned off by the environment', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const server = await serve(forLocalhost);
    expect(await login(server)).toEqual({ kind: 'failure', reason: 'tls', sent: false, fault: 'self_signed' });
    await server.idle();
    expect(server.received()).toBe('');
  });

  it('to a server that speaks plain HTTP fails, and nothing was sent', async () => {
    const server = await startRawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    running.push(server);
    expect(await login(server)).toEqual({ kind: 'failure', reason: 'tls', sent: false, fault: 'no_tls' });
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
    expect(result).toEqual({ kind: 'failure', reason: 'tls', sent: false, fault: 'self_signed' });
  });
});
