import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import type { Certificate } from '../functions/http/raw-server.ts';

/** A server that behaves as a vendor's documents say, with what it was asked. */
export interface VendorServer {
  readonly baseUrl: string;
  readonly caCertificate: string;
  /** Subjects of the logins so far. */
  readonly logins: readonly string[];
  close(): Promise<void>;
}

/** An answer in JSON. */
export interface VendorAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a vendor's server; over TLS with a certificate. */
export async function startVendor(
  logins: readonly string[],
  answer: (request: IncomingMessage, body: string) => VendorAnswer | Promise<VendorAnswer>,
  certificate?: Certificate,
): Promise<VendorServer> {
  const listener: RequestListener = async (request, response) => {
    const { status, body, headers } = await answer(request, await text(request));
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
  const server = certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
  const url = await listenOnLoopback(server, 0);
  return {
    baseUrl: certificate === undefined ? url : url.replace('http://127.0.0.1', 'https://localhost'),
    caCertificate: certificate?.cert ?? '',
    logins,
    close: () => closeServer(server),
  };
}
