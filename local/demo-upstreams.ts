import { startDemoCommunity } from './demo/community.ts';
import { startDemoHelpmaster } from './demo/helpmaster.ts';
import { startDemoIssuer } from './demo/issuer.ts';
import { startDemoOAuth } from './demo/oauth.ts';

/** The running demo upstreams, and the issuer of workloads' JWTs. */
export type DemoUpstreams = Awaited<ReturnType<typeof startDemoUpstreams>>;

/** Starts all of them, on ports after the API's if free, so that a connections file can name them. */
export async function startDemoUpstreams(apiPort: number) {
  const helpmaster = await onPort(apiPort === 0 ? 0 : apiPort + 1, (port) => startDemoHelpmaster({ port }));
  const community = await onPort(apiPort === 0 ? 0 : apiPort + 2, (port) => startDemoCommunity({ port }));
  const oauth = await onPort(apiPort === 0 ? 0 : apiPort + 3, (port) => startDemoOAuth({ port }));
  // The ports beside it are the defaults of `token-broker agent` and `token-broker dashboard`.
  const issuer = await onPort(apiPort === 0 ? 0 : apiPort + 5, (port) => startDemoIssuer({ port }));
  return {
    helpmaster,
    community,
    oauth,
    issuer,
    async close() {
      await Promise.all([helpmaster.close(), community.close(), oauth.close(), issuer.close()]);
    },
  };
}

async function onPort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return start(0);
    throw error;
  }
}
