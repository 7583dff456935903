import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { forkModule } from '../child-process.ts';
import type { CertificateFiles } from './certificate.ts';

/**
 * The answers of an endpoint, JSON text by `x-amz-target`, or by that and the sort key of an item; what is not there is
 * answered with `{}`.
 */
export type Answers = Readonly<Record<string, string>>;

/** An AWS endpoint over TLS on loopback, in a process of its own, that answers constants. */
export interface AwsEndpoint {
  readonly url: string;
  setAnswers(answers: Answers): Promise<void>;
  /** The requests since this was last asked, by target. */
  counts(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

const SORT_KEY = /"sk":\{"S":"([^"]+)"\}/;

type Order =
  | { readonly kind: 'start'; readonly certificate: CertificateFiles }
  | { readonly kind: 'answers'; readonly answers: Answers }
  | { readonly kind: 'counts' };

/** Starts the endpoint. It ends with this process, whatever happens here. */
export async function startAwsEndpoint(certificate: CertificateFiles): Promise<AwsEndpoint> {
  const child = forkModule(import.meta.url);
  const ask = (order: Order) => child.ask(order);
  const port = await ask({ kind: 'start', certificate });
  return {
    url: `https://localhost:${String(port)}`,
    async setAnswers(answers) {
      await ask({ kind: 'answers', answers });
    },
    async counts() {
      // The child answers with the result of `serve` below.
      return (await ask({ kind: 'counts' })) as Record<string, number>;
    },
    close: child.close,
  };
}

function serve(): void {
  let answers: Answers = {};
  let counts: Record<string, number> = {};
  const listen = async ({ keyFile, certificateFile }: CertificateFiles) => {
    const server = createServer(
      { key: readFileSync(keyFile), cert: readFileSync(certificateFile) },
      (request, response) => {
        const target = String(request.headers['x-amz-target'] ?? request.method);
        counts[target] = (counts[target] ?? 0) + 1;
        let body = '';
        request.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        request.on('end', () => {
          const answer = answers[`${target} ${SORT_KEY.exec(body)?.[1]}`] ?? answers[target] ?? '{}';
          response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(answer);
        });
      },
    );
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port; // A TCP server's address is never a pipe's name.
  };
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (order: Order) => {
    switch (order.kind) {
      case 'start':
        return process.send?.(await listen(order.certificate));
      case 'answers':
        answers = order.answers;
        return process.send?.('set');
      case 'counts': {
        const seen = counts;
        counts = {};
        return process.send?.(seen);
      }
    }
  });
}

if (import.meta.main) serve();
