import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, listenOnLoopback } from '../../../local/aws/loopback-server.ts';

export type Answering = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

/** An upstream of HelpMaster's shape whose gated answers the test writes. */
export interface Scripted {
  readonly url: string;
  /** Sets the answer to gated calls. */
  answer(with_: Answering): void;
  /** The gated requests so far, as received. */
  readonly received: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

/** Starts it: logins under `/base/user/` always succeed, with a new opaque token each time, in base64. */
export async function startScriptedUpstream(): Promise<Scripted> {
  let answering: Answering = (_request, _body, response) => response.end('ok');
  let issued = 0;
  const received: Scripted['received'] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url?.startsWith('/base/user/')) {
      issued += 1;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ token: `scripted+token/${issued}==` }));
      return;
    }
    received.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    answering(request, Buffer.concat(chunks), response);
  });
  return {
    url: await listenOnLoopback(server, 0),
    answer(with_) {
      answering = with_;
    },
    received,
    close: () => closeServer(server),
  };
}
