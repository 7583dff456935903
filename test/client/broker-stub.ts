import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';

/** An answer of the stub, or a function that answers by itself. */
export type StubAnswer =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** Starts a server on loopback that misbehaves as told, for a broker or for one of AWS's services. */
export async function startStub() {
  /** Method, target, headers and body of every request so far. */
  const requests: { method: string; target: string; headers: IncomingMessage['headers']; body: string }[] = [];
  let queue: StubAnswer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, target: url, headers, body: Buffer.concat(chunks).toString('utf8') });
      const answer = (queue.length > 1 ? queue.shift() : queue[0]) ?? {};
      if (typeof answer === 'function') {
        answer(request, response);
        return;
      }
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(text);
    });
  });
  return {
    url: await listenOnLoopback(server, 0),
    requests,
    /** Sets the next answers. The last one repeats. */
    answer(...answers: readonly StubAnswer[]): void {
      queue = [...answers];
    },
    close: () => closeServer(server),
  };
}

/** The body of a hand-out; times count from `now`, epoch milliseconds. */
export function handOutBody(token: string, now: number, change: Readonly<Record<string, unknown>> = {}) {
  const iso = (afterMs: number) => `${new Date(now + afterMs).toISOString().slice(0, 19)}Z`;
  return {
    access_token: token,
    token_type: 'N_A',
    expires_in: 1195,
    expires_at: iso(1_200_000),
    issued_at: iso(0),
    refresh_at: iso(600_000),
    connection: 'wfm',
    subject: 'system',
    generation: 1,
    source: 'login',
    headers: { WFMSGAPIKEY: token },
    attributes: {},
    ...change,
  };
}

/** A problem as the broker answers it. */
export function problem(status: number, code: string, headers: Readonly<Record<string, string>> = {}): StubAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: {
      type: `urn:token-broker:error:${code}`,
      title: code,
      status,
      detail: `About ${code}.`,
      code,
      request_id: 'req-1',
    },
  };
}
