import { startDemoCommunity } from './demo/community.ts';
import { startDemoHelpmaster } from './demo/helpmaster.ts';

/** Both running demo upstreams. */
export type DemoUpstreams = Awaited<ReturnType<typeof startDemoUpstreams>>;

/** Starts both, on the two ports after the API's if free, so that a connections file can name them. */
export async function startDemoUpstreams(apiPort: number) {
  const helpmaster = await onPort(apiPort === 0 ? 0 : apiPort + 1, (port) => startDemoHelpmaster({ port }));
  const community = await onPort(apiPort === 0 ? 0 : apiPort + 2, (port) => startDemoCommunity({ port }));
  return {
    helpmaster,
    community,
    async close() {
      await Promise.all([helpmaster.close(), community.close()]);
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
