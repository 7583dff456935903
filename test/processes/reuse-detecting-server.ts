import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';

/** One use of a refresh token, as the server saw it. Epoch milliseconds. */
export interface TokenUse {
  readonly token: string;
  readonly at: number;
  /** Set once the answer has left whole; absent if the client was gone before. */
  answeredAt?: number;
  /** The next token that it gave. */
  readonly next?: string;
}

/**
 * Starts an OAuth server on 127.0.0.1 whose refresh tokens rotate, and that ends a grant whose used token comes back
 * (RFC 9700 §4.14.2). Each answer takes up to `answerMs`, and its tokens live for `lifeSeconds`.
 */
export async function startReuseDetectingServer({
  lifeSeconds,
  answerMs,
}: {
  readonly lifeSeconds: number;
  readonly answerMs: number;
}) {
  const grantOf = new Map<string, number>();
  const used = new Set<string>();
  const ended = new Set<number>();
  const uses: TokenUse[] = [];
  const reuses: TokenUse[] = [];
  let grants = 0;

  function issue(grant: number): string {
    const token = `grant-${grant}-${randomUUID()}`;
    grantOf.set(token, grant);
    return token;
  }

  /** Takes a refresh token; gives the next, or undefined for one that is refused. */
  function take(token: string): TokenUse {
    const grant = grantOf.get(token);
    const isReused = used.has(token);
    if (grant !== undefined && isReused) ended.add(grant);
    const isGood = grant !== undefined && !ended.has(grant);
    if (isGood) used.add(token);
    const use: TokenUse = { token, at: Date.now(), ...(isGood && { next: issue(grant) }) };
    uses.push(use);
    if (isReused) reuses.push(use);
    return use;
  }

  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request).catch(() => ''));
    const use = take(form.get('refresh_token') ?? '');
    response.once('finish', () => {
      use.answeredAt = Date.now();
    });
    const answer =
      use.next === undefined
        ? { error: 'invalid_grant' }
        : { access_token: randomUUID(), token_type: 'Bearer', expires_in: lifeSeconds, refresh_token: use.next };
    setTimeout(() => {
      response.writeHead(use.next === undefined ? 400 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }, Math.random() * answerMs);
  });
  return {
    baseUrl: await listenOnLoopback(server, 0),
    uses,
    /** The uses of tokens that were used before. */
    reuses,
    /** The first refresh token of a new grant. */
    consent() {
      grants += 1;
      return issue(grants);
    },
    close: () => closeServer(server),
  };
}
