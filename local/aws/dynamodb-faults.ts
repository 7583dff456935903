import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { createFaults, type FaultMode, type Faults } from './faults.ts';
import {
  type LoopbackAnswer,
  type LoopbackReply,
  type LoopbackRequest,
  startLoopbackServer,
} from './loopback-server.ts';

/** A proxy in front of a DynamoDB endpoint, with faults. */
export interface DynamodbFaultProxy {
  /** Endpoint for the client under test: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** Faults of the service `dynamodb`; counts are by `dynamodb.UpdateItem` and so on. */
  readonly faults: Faults<'dynamodb'>;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;

// Hop-by-hop headers, or set again by the sender.
const NOT_FORWARDED = ['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect'];

const REFUSALS: Partial<Record<FaultMode, readonly [number, string]>> = {
  down: [500, 'InternalServerError'],
  throttle: [400, 'ProvisionedThroughputExceededException'],
  deny: [400, 'AccessDeniedException'],
};

/** Starts a proxy on 127.0.0.1 that forwards requests to the DynamoDB at `target`, or applies the fault that is set. */
export async function startDynamodbFaultProxy(target: string): Promise<DynamodbFaultProxy> {
  const faults = createFaults<'dynamodb'>();
  const agent = new Agent({ keepAlive: true });

  async function answer(request: LoopbackRequest): Promise<LoopbackAnswer> {
    const mode = faults.take('dynamodb', operationIn(request.headers));
    if (mode === 'hang' || mode === 'reset') return mode;
    const refusal = REFUSALS[mode];
    if (refusal !== undefined) return refuse(...refusal);
    const reply = await forward(target, agent, request).catch((): LoopbackAnswer => 'reset');
    return mode === 'lose-reply' ? 'reset' : reply;
  }

  const server = await startLoopbackServer({ maxBodyBytes: MAX_BODY_BYTES, answer });
  return {
    endpoint: server.endpoint,
    faults,
    async close() {
      await server.close();
      agent.destroy();
    },
  };
}

function operationIn(headers: IncomingHttpHeaders): string {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? (target.split('.')[1] ?? 'unknown') : 'unknown';
}

function refuse(status: number, code: string): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: 'a fault that was asked for' }),
  };
}

async function forward(target: string, agent: Agent, request: LoopbackRequest): Promise<LoopbackReply> {
  const { method, body } = request;
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { ...forwardable(request.headers), 'content-length': body.length };
    sendRequest(new URL(request.target, target), { method, agent, headers }, resolve).on('error', reject).end(body);
  });
  return { status: reply.statusCode ?? 502, headers: forwardable(reply.headers), body: await buffer(reply) };
}

function forwardable(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && !NOT_FORWARDED.includes(name)) kept[name] = value;
  }
  return kept;
}
