import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

/** A call of the broker's own HTTP API. `path` needs no encoding. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/** Its answer; `json` is empty where the body is no JSON object. */
export interface ApiAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The broker as its page sees it: asked over HTTP as by any caller. Rejects where it cannot be reached. */
export type BrokerApi = (request: ApiRequest) => Promise<ApiAnswer>;

const LONGEST_MS = 30_000;

/** Signs as the key pair and region say, for service `execute-api`. */
export interface Signing {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Calls the API at `url`; `url` is asked for with each call, since the API may start after this was made. */
export function createBrokerApi({
  url,
  signing,
}: {
  readonly url: () => string;
  readonly signing: Signing | undefined;
}): BrokerApi {
  const sign = signing === undefined ? undefined : signerOf(signing);

  return async ({ method, path, body }) => {
    const target = new URL(path, url());
    const text = body === undefined ? undefined : JSON.stringify(body);
    const plain: Record<string, string> = {
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const headers = sign === undefined ? plain : await sign(method, target, plain, text);
    const answer = await fetch(target, {
      method,
      headers,
      signal: AbortSignal.timeout(LONGEST_MS),
      redirect: 'manual',
      ...(text === undefined ? {} : { body: text }),
    });
    return { status: answer.status, json: objectIn(await answer.text()) };
  };
}

function signerOf({ region, accessKeyId, secretAccessKey }: Signing) {
  const signer = new SignatureV4({
    service: 'execute-api',
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
  });
  return async (
    method: string,
    { hostname, host, port, pathname, searchParams }: URL,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
  ): Promise<Record<string, string>> => {
    const signed = await signer.sign(
      new HttpRequest({
        method,
        hostname,
        port: Number(port),
        path: pathname,
        query: Object.fromEntries(searchParams),
        headers: { ...headers, host },
        body,
      }),
    );
    // The client sends `host` by itself.
    const { host: _host, ...sent } = signed.headers;
    return sent;
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
