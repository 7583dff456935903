import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { GatewayEvent } from '../../../local/gateway/event.ts';
import { type GatewayErrorReport, type GatewayOptions, startGateway } from '../../../local/gateway/gateway.ts';
import type { LambdaHandler } from '../../../local/lambda/invoke.ts';

export const CALLER = 'arn:aws:iam::000000000000:user/local';

type Overrides = Partial<Omit<GatewayOptions, 'routes'>> & {
  readonly handler?: (event: GatewayEvent) => Promise<unknown>;
  readonly timeoutMs?: number;
};

/** Opens such a gateway for one test, and closes it with that. */
export async function openGateway(overrides: Overrides = {}) {
  const opened = await startEchoGateway(overrides);
  onTestFinished(() => opened.gateway.close());
  return opened;
}

/** Starts a gateway with one handler behind every route, which records the events it gets. */
export async function startEchoGateway({
  handler = async () => ({ statusCode: 204 }),
  timeoutMs = 5_000,
  ...rest
}: Overrides = {}) {
  const events: GatewayEvent[] = [];
  const reports: GatewayErrorReport[] = [];
  const recording: LambdaHandler = async (event: GatewayEvent) => {
    events.push(event);
    return handler(event);
  };
  const route = (method: string, resource: string, authorization: 'AWS_IAM' | 'NONE') => ({
    method,
    resource,
    functionName: 'echo',
    handler: recording,
    timeoutMs,
    authorization,
  });
  const gateway = await startGateway({
    port: 0,
    caller: CALLER,
    requireSigv4: false,
    onError: (report) => reports.push(report),
    ...rest,
    routes: [
      route('GET', '/tokens/{connection}/{subject}', 'AWS_IAM'),
      route('POST', '/tokens/{connection}/{subject}', 'AWS_IAM'),
      route('ANY', '/proxy/{connection}/{subject}/{path+}', 'AWS_IAM'),
      route('POST', '/oauth2/token', 'NONE'),
    ],
  });
  return { gateway, events, reports };
}

/** Sends bytes as they are and returns everything that came back until the gateway closed the connection. */
export function sendRaw(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => received.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
    for (const piece of pieces) socket.write(piece);
  });
}
