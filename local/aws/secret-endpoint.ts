import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { LocalPage } from '../gateway/gateway.ts';
import { LOCAL_CREDENTIAL } from '../gateway/sigv4.ts';
import { AwsError, unknownOperation } from './aws-error.ts';
import { readBody } from './http-body.ts';
import { createKeyCheck, KEY_REFUSAL } from './loopback-keys.ts';
import { answerSecretsManager, type LoopbackSecrets } from './secrets-manager.ts';

/** The operations of an operator who puts a candidate. None reads a value. */
const OPERATIONS: ReadonlySet<string> = new Set(['PutSecretValue', 'DescribeSecret']);
const MOST_BYTES = 96 * 1024;

/**
 * Creates the part of Secrets Manager that `npm start` offers beside its API, as an AWS SDK calls it: a candidate of an
 * operator's secret can be put and looked for, and nothing read. Requests are signed with the key `local`. A web page
 * cannot send them: a browser asks first whether a page may send such headers, and this server never allows it.
 */
export function createSecretEndpoint(from: Omit<LoopbackSecrets, 'kept'>): LocalPage {
  const mayEnter = createKeyCheck(LOCAL_CREDENTIAL);
  const kept = { read: async () => undefined, replace: async () => false };

  async function answer(target: string | undefined, body: Buffer): Promise<object> {
    const [service, operation = ''] = target?.split('.') ?? [];
    if (service !== 'secretsmanager' || !OPERATIONS.has(operation)) throw unknownOperation();
    return answerSecretsManager(operation, JSON.parse(body.toString('utf8')), { ...from, kept });
  }

  return async (request, response) => {
    const body = await readBody(request, MOST_BYTES);
    if (body === 'aborted') return;
    if (body === 'too-large') return send(response, 413, '');
    if (!(await mayEnter(request, body))) return send(response, KEY_REFUSAL.status, KEY_REFUSAL.body);
    const target = request.headers['x-amz-target'];
    try {
      const output = await answer(typeof target === 'string' ? target : undefined, body);
      send(response, 200, JSON.stringify(output));
    } catch (error) {
      const known = error instanceof AwsError ? error : new AwsError(400, 'SerializationException', 'it is not JSON');
      send(response, known.status, JSON.stringify({ __type: known.code, message: known.message }));
    }
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'cache-control': 'no-store',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(body);
}
