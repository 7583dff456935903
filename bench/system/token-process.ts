import type { Environment } from '../../functions/adapters/aws/client.ts';
import { composeTokenFunction } from '../../functions/token/function.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import { CALLER } from '../broker.ts';
import { forkModule } from '../child-process.ts';
import { type Profiled, startProfile } from '../flame/profile.ts';
import { nowhere } from '../warm/handlers.ts';

/** The token function in a process of its own. */
export type TokenProcess = Awaited<ReturnType<typeof startTokenProcess>>;

/**
 * Starts the token function behind a gateway, in a process of its own, on the services that `environment` names. It ends
 * with this process, whatever happens here.
 */
export async function startTokenProcess(
  environment: Environment,
  processEnvironment: Readonly<Record<string, string>> = {},
) {
  const { ask, close } = forkModule(import.meta.url, processEnvironment);
  return {
    url: String(await ask(environment)),
    /** Profiles that process until the function it gives is called. */
    async startProfile() {
      await ask('profile');
      // The process answers with what its own `startProfile` found.
      return async () => (await ask('end')) as Profiled;
    },
    close,
  };
}

async function serve(environment: Environment): Promise<void> {
  const gateway = await startGateway({
    port: 0,
    caller: CALLER,
    requireSigv4: false,
    routes: [
      {
        method: 'GET',
        resource: '/tokens/{connection}/{subject}',
        functionName: 'token',
        handler: composeTokenFunction({ environment, output: nowhere() }),
        timeoutMs: 27_000,
        authorization: 'AWS_IAM',
      },
    ],
  });
  process.send?.(gateway.url);
}

if (import.meta.main) {
  process.on('disconnect', () => process.exit(0));
  let end: (() => Promise<Profiled>) | undefined;
  process.on('message', async (order: Environment | 'profile' | 'end') => {
    if (order === 'end') process.send?.(await end?.());
    else if (order === 'profile') {
      end = await startProfile();
      process.send?.('profiling');
    } else await serve(order);
  });
}
