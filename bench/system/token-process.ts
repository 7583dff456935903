import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../functions/adapters/aws/client.ts';
import { composeTokenFunction } from '../../functions/token/function.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import { CALLER } from '../broker.ts';
import { nowhere } from '../warm/handlers.ts';

/** The token function behind a gateway, in a process of its own. */
export interface TokenProcess {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one on the services that `environment` names. It ends with this process, whatever happens here. */
export async function startTokenProcess(
  environment: Environment,
  processEnvironment: Readonly<Record<string, string>> = {},
): Promise<TokenProcess> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...processEnvironment },
  });
  child.send(environment);
  const [url] = await once(child, 'message');
  return {
    url: String(url),
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function serve(environment: Environment): Promise<void> {
  const gateway = await startGateway({
    port: 0,
    caller: CALLER,
    requireSigv4: false,
    routes: [
      {
        routeKey: 'GET /tokens/{connection}/{subject}',
        functionName: 'token',
        handler: composeTokenFunction({ environment, output: nowhere() }),
        timeoutMs: 28_000,
        authorization: 'AWS_IAM',
      },
    ],
  });
  process.send?.(gateway.url);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('disconnect', () => process.exit(0));
  process.once('message', (environment: Environment) => void serve(environment));
}
