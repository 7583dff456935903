import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isFromLocalProgram } from '../aws/loopback-server.ts';
import { type Answer, jsonAnswer, pause, redirectAnswer, refusalAnswer, sendAnswer } from './answer.ts';
import { createIssuerKeyring, type TokenKind, tokenKinds, type WorkloadClaims } from './issuer-keyring.ts';

/** What the demo issuer can be told to do. */
export interface IssuerKnobs {
  /** What its discovery document and its keys are answered with. */
  readonly keys: 'normal' | 'down' | 'reset' | 'html' | 'redirect' | 'oversized' | 'no-keys' | 'other-issuer';
  /** Waits this long before each answer, in milliseconds. */
  readonly delayMs: number;
}

/** A running issuer of workloads' JWTs on loopback: what GitHub Actions or a Kubernetes cluster is to a workload. */
export interface DemoIssuer {
  /** `http://127.0.0.1:PORT`: the `iss` of its tokens. */
  readonly url: string;
  readonly jwksUri: string;
  setKnobs(change: Partial<IssuerKnobs>): void;
  /** Signs a token, good for five minutes; `kind` says what is wrong with it. */
  sign(claims: WorkloadClaims, kind?: TokenKind): Promise<string>;
  /** Makes a new key, signs with that from now on, and publishes it alone. */
  rotate(): Promise<void>;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const DISCOVERY_PATH = '/.well-known/openid-configuration';
const KEYS_PATH = '/keys';
const TOKEN_PATH = '/__demo/token';
const OVERSIZED_BYTES = 300_000;

/**
 * Starts the issuer on 127.0.0.1; port 0, the default, picks a free one. Beside discovery document and keys it has
 * `GET /__demo/token?audience=…&subject=…`, which answers a token for whatever program asks: never to be trusted but in a demo.
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
        // With all that would be needed in the body: the status alone says that it is not to be taken.
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
    // Where a redirect leads to are the very keys, so that following it would be seen.
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const url = `http://127.0.0.1:${address.port}`;

  return {
    url,
    jwksUri: `${url}${KEYS_PATH}`,
    requests,
    setKnobs(change) {
      knobs = { ...knobs, ...change };
    },
    sign: (claims, kind = 'normal') => keyring.sign({ iss: url, ...claims }, kind),
    rotate: () => keyring.rotate(),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, answer: Answer): Promise<void> {
  return sendAnswer(response, answer, { headOnly: false, date: new Date(), dripEveryMs: undefined });
}

// Run by itself it is an issuer to try the exchange with: node local/demo/issuer.ts [PORT]
if (import.meta.main) {
  const issuer = await startDemoIssuer({ port: Number(process.argv[2] ?? 0) });
  process.stdout.write(`demo issuer ${issuer.url}\n`);
  const stop = (): void => void issuer.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
