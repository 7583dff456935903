import { createHash } from 'node:crypto';
import { type Received, send } from '../local/demo/demo-client.ts';

/** An answer of the broker, with its body as JSON: empty if the body is not JSON. */
export interface Answer extends Received {
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
}

/** Calls the broker's API at `url`, each request on a connection of its own. */
export interface ApiClient {
  token(connection: string, subject: string, query?: string): Promise<Answer>;
  /** Reports a token that the upstream answered 401 to. */
  reject(connection: string, subject: string, token: string): Promise<Answer>;
  purge(connection: string, subject: string): Promise<Answer>;
  connections(connection?: string): Promise<Answer>;
}

export function createApiClient(url: string): ApiClient {
  const call = async (path: string, options: Parameters<typeof send>[1] = {}): Promise<Answer> => {
    const received = await send(`${url}${path}`, options);
    return { ...received, json: received.json ?? {} };
  };
  return {
    token: (connection, subject, query = '') => call(`/tokens/${connection}/${subject}${query}`),
    reject: (connection, subject, token) =>
      call(`/tokens/${connection}/${subject}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ rejected: createHash('sha256').update(token).digest('hex') }),
      }),
    purge: (connection, subject) => call(`/tokens/${connection}/${subject}`, { method: 'DELETE' }),
    connections: (connection) => call(connection === undefined ? '/connections' : `/connections/${connection}`),
  };
}

/** The token of a hand-out. Empty if the answer has none. */
export function tokenOf({ json }: Answer): string {
  return String(json['access_token'] ?? '');
}

/** The headers of a hand-out, to be spread into a request to the upstream. */
export function headersOf({ json }: Answer): Record<string, string> {
  const headers = json['headers'];
  return typeof headers === 'object' && headers !== null
    ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
    : {};
}

/** The slots that a connection's status lists. */
export function slotsOf({ json }: Answer): readonly Record<string, unknown>[] {
  const slots = json['slots'];
  return Array.isArray(slots) ? slots : [];
}

/** Summarizes an answer: its status, and its code or the source of its token. */
export function gistOf({ status, json }: Answer): string {
  return `${status} ${String(json['code'] ?? json['source'] ?? '')}`.trim();
}
