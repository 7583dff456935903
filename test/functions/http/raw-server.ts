import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

/** A server that does with a connection whatever a test says, and remembers what it was sent. */
export interface RawServer {
  readonly port: number;
  /** All bytes received on all connections, as Latin-1. */
  received(): string;
  connections(): number;
  /** Settles when every connection so far has ended: then nothing more can arrive. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Handles a connection. `request` settles when the head of a request has come. */
export type Behaviour = (socket: Socket, request: Promise<string>) => void;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Starts a plain TCP server on loopback. */
export function startRawServer(behave: Behaviour): Promise<RawServer> {
  return listening((onSocket) => createServer(onSocket), behave);
}

/** Starts a TLS server on loopback. */
export function startRawTlsServer(certificate: Certificate, behave: Behaviour): Promise<RawServer> {
  return listening((onSocket) => createTlsServer({ key: certificate.key, cert: certificate.cert }, onSocket), behave);
}

/** Answers every request with the same bytes and closes. */
export function answering(bytes: string | Buffer): Behaviour {
  return (socket, request) => {
    request.then(() => socket.end(bytes));
  };
}

/** The bytes of an answer with a body of known length. */
export function answer(headLines: readonly string[], body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const head = ['HTTP/1.1 200 OK', ...headLines, `Content-Length: ${bytes.length}`, 'Connection: close', '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), bytes]);
}

/** Makes a self-signed certificate for a name, with openssl. */
export function selfSigned(name: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'broker-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    execFileSync(
      'openssl',
      ['req', '-x509', ...curve, '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...names],
      {
        stdio: 'ignore',
      },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function listening(
  create: (onSocket: (socket: Socket) => void) => Server,
  behave: Behaviour,
): Promise<RawServer> {
  const received: Buffer[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const server = create((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => received.push(chunk));
    behave(socket, headOf(socket));
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    received: () => Buffer.concat(received).toString('latin1'),
    connections: () => connections,
    idle: async () => {
      await Promise.all([...open].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function headOf(socket: Socket): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) resolve(text);
    });
  });
}
