import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, isFromLocalProgram, listenOnLoopback } from '../aws/loopback-server.ts';
import { type Answer, jsonAnswer, pause, redirectAnswer, refusalAnswer, sendAnswer } from './answer.ts';
import { createIssuerKeyring, type TokenKind, tokenKinds, type WorkloadClaims } from './issuer-keyring.ts';

/** Knobs of the demo issuer. */
export interface IssuerKnobs {
  /** Answer to requests for the discovery document and the keys. */
  readonly keys: 'normal' | 'down' | 'reset' | 'html' | 'redirect' | 'oversized' | 'no-keys' | 'other-issuer';
  /** Delay before each answer, in milliseconds. */
  readonly delayMs: number;
}

/** Running issuer of workloads' JWTs on loopback, like GitHub Actions or a Kubernetes cluster. */
export interface DemoIssuer {
  /** URL, `http://127.0.0.1:PORT`, and `iss` of its tokens. */
  readonly url: string;
  readonly jwksUri: string;
  setKnobs(change: Partial<IssuerKnobs>): void;
  /** Signs a token that is valid for five minutes; `kind` chooses its fault. */
  sign(claims: WorkloadClaims, kind?: TokenKind): Promise<string>;
  /** Replaces the key: signs with a new one, and publishes only that. */
  rotate(): Promise<void>;
  /** Paths of the requests, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const DISCOVERY_PATH = '/.well-known/openid-configuration';
const KEYS_PATH = '/keys';
const TOKEN_PATH = '/__demo/token';
const OVERSIZED_BYTES = 300_000;

/**
 * Starts the issuer on 127.0.0.1; port 0, the default, picks a free one. Beside discovery document and keys it has
 * `GET /__demo/token?audience=…&subject=…`, which
 * answers any program with a token. Trust it only in a demo.
 */
export async function startDemoIssuer({ port = 0 }: { readonly port?: number } = {}): Promise<DemoIssuer> {
  let knobs: IssuerKnobs = { keys: 'normal', delayMs: 0 };
  const keyring = await createIssuerKeyring();
  const requests: string[] = [];

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(incoming.url ?? '/', url);
    requests.push(target.pathname);
    if (!(await pause(response, knobs.delayMs))) return;
    const isOurs = target.pathname.startsWith('/__demo/');
    if (isOurs && !isFromLocalProgram(incoming, server)) return send(response, refusalAnswer());
    if (target.pathname === TOKEN_PATH) return send(response, await tokenAnswer(target.searchParams));
    if (knobs.keys === 'reset') incoming.socket.resetAndDestroy();
    else await send(response, await publishedAnswer(target.pathname));
  }

  async function publishedAnswer(path: string): Promise<Answer> {
    switch (knobs.keys) {
      case 'down':
        // The body is complete: only the status says that it must not be used.
        return jsonAnswer(503, { issuer: url, jwks_uri: `${url}${KEYS_PATH}`, keys: await keyring.published() });
      case 'html':
        return { status: 200, headers: { 'Content-Type': 'text/html' }, body: Buffer.from('<h1>Sign in</h1>') };
      case 'redirect':
        return redirectAnswer(302, `${url}/elsewhere`);
      case 'oversized':
        return jsonAnswer(200, { keys: await keyring.published(), padding: 'x'.repeat(OVERSIZED_BYTES) });
      case 'no-keys':
        return jsonAnswer(200, { issuer: url, jwks_uri: `${url}${KEYS_PATH}` });
      default:
        break;
    }
    if (path === DISCOVERY_PATH) {
      const issuer = knobs.keys === 'other-issuer' ? 'https://other.example' : url;
      return jsonAnswer(200, { issuer, jwks_uri: `${url}${KEYS_PATH}` });
    }
    // The target of the redirect serves the real keys, so that a client that follows it is noticed.
    if (path === KEYS_PATH || path === '/elsewhere') return jsonAnswer(200, { keys: await keyring.published() });
    return jsonAnswer(404, { message: 'not found' });
  }

  async function tokenAnswer(query: URLSearchParams): Promise<Answer> {
    const kind = tokenKinds.find((each) => each === (query.get('kind') ?? 'normal'));
    if (kind === undefined) return jsonAnswer(400, { message: `kind is one of ${tokenKinds.join(', ')}` });
    const claims = { aud: query.get('audience') ?? 'token-broker', sub: query.get('subject') ?? 'demo-workload' };
    const token = await keyring.sign({ iss: url, ...claims }, kind);
    return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from(token) };
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  const url = await listenOnLoopback(server, port);

  return {
    url,
    jwksUri: `${url}${KEYS_PATH}`,
    requests,
    setKnobs(change) {
      knobs = { ...knobs, ...change };
    },
    sign: (claims, kind = 'normal') => keyring.sign({ iss: url, ...claims }, kind),
    rotate: () => keyring.rotate(),
    close: () => closeServer(server),
  };
}

function send(response: ServerResponse, answer: Answer): Promise<void> {
  return sendAnswer(response, answer, { headOnly: false, date: new Date().toUTCString(), dripEveryMs: undefined });
}

// Run by itself, this file is an issuer for trying the exchange: node local/demo/issuer.ts [PORT]
if (import.meta.main) {
  const issuer = await startDemoIssuer({ port: Number(process.argv[2] ?? 0) });
  process.stdout.write(`demo issuer ${issuer.url}\n`);
  const stop = (): void => void issuer.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
