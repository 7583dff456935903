import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';

/**
 * Starts a proxy on 127.0.0.1 before a demo upstream that knows every token the upstream gave away, handed out or not;
 * it passes answers on as they are, broken ones too.
 */
export async function startRecordingProxy(target: string) {
  const tokens = new Set<string>();
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const forwarded = request(new URL(incoming.url ?? '/', target), {
      method: incoming.method ?? 'GET',
      headers: { ...incoming.headers, host: new URL(target).host },
      agent: false,
    });
    forwarded.once('error', () => incoming.socket.destroy());
    forwarded.once('response', async (response) => {
      const answer = await buffer(response).catch(() => undefined);
      if (answer === undefined) {
        incoming.socket.destroy();
        return;
      }
      for (const token of tokensIn(answer.toString('utf8'))) tokens.add(token);
      for (const token of [response.headers['wfmsgapikey'] ?? []].flat()) tokens.add(token);
      outgoing.writeHead(response.statusCode ?? 502, response.headers).end(answer);
    });
    forwarded.end(body);
  });
  return {
    origin: await listenOnLoopback(server, 0),
    tokens: () => [...tokens],
    close: () => closeServer(server),
  };
}

/** The tokens of a login's answer; one with a line break in it in its parts. */
function tokensIn(text: string): readonly string[] {
  return [...text.matchAll(/"(?:token|authToken)"\s*:\s*"((?:[^"\\]|\\.)*)"/g)]
    .flatMap(([, token = '']) => token.split('\\r\\n'))
    .filter((token) => token.length >= 30);
}
