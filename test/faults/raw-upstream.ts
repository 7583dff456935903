import type { Socket } from 'node:net';
import {
  answer,
  type Certificate,
  type RawServer,
  startRawServer,
  startRawTlsServer,
} from '../functions/http/raw-server.ts';

/** Handles a connection. `request` settles when the head of a request has been read. */
export type Misbehaviour = (socket: Socket, request: Promise<string>) => void;

/** An upstream of bytes: it misbehaves as it is told until it is healed. */
export interface RawUpstream {
  readonly port: number;
  /** Logins that it has read. */
  logins(): number;
  /** Everything that it was sent. */
  received(): string;
  heal(): void;
  close(): Promise<void>;
}

/** Options of the upstream: plain TCP, or TLS with a certificate. A healed upstream has a valid one. */
export interface RawUpstreamOptions {
  readonly misbehave: Misbehaviour;
  readonly certificate?: Certificate;
}

/** A request follows the body of the one before on the same line. */
const LOGIN_LINE = /POST \/user\//g;

/** Starts it on loopback. Healed, it answers every login with a token of its own. */
export async function startRawUpstream({ misbehave, certificate }: RawUpstreamOptions): Promise<RawUpstream> {
  let isHealed = false;
  const behave: Misbehaviour = (socket, request) => {
    if (!isHealed) return misbehave(socket, request);
    void request.then(() => socket.end(tokenAnswer(`healed-token-${Math.random().toString(36).slice(2)}`)));
  };
  const server: RawServer = await (certificate === undefined
    ? startRawServer(behave)
    : startRawTlsServer(certificate, behave));
  return {
    port: server.port,
    logins: () => server.received().match(LOGIN_LINE)?.length ?? 0,
    received: server.received,
    heal: () => {
      isHealed = true;
    },
    close: server.close,
  };
}

/** The bytes of a good login answer of HelpMaster (H5). */
export function tokenAnswer(token: unknown, headLines: readonly string[] = []): Buffer {
  return answer(['Content-Type: application/json', ...headLines], JSON.stringify({ token }));
}

/** A JWT with these claims; nobody checks its signature. */
export function jwtOf(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJlLW9mLW5vYm9keQ`;
}

/** Answers with bytes once the request was read, and closes. */
export function replying(bytes: string | Buffer | (() => string | Buffer)): Misbehaviour {
  return (socket, request) => {
    void request.then(() => socket.end(typeof bytes === 'function' ? bytes() : bytes));
  };
}

/** The bytes of an answer with this status line. */
export function status(line: string, headLines: readonly string[] = [], body = ''): string {
  return [
    `HTTP/1.1 ${line}`,
    ...headLines,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
