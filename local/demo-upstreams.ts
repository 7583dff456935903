import { startDemoCommunity } from './demo/community.ts';
import { startDemoHelpmaster } from './demo/helpmaster.ts';
import { startDemoIssuer } from './demo/issuer.ts';
import { startDemoOAuth } from './demo/oauth.ts';
import type { DemoState } from './demo-state.ts';

/** The running demo upstreams, and the issuer of workloads' JWTs. */
export type DemoUpstreams = Awaited<ReturnType<typeof startDemoUpstreams>>;

/** Distance of each port from the API's. Those between are the defaults of `token-broker agent` and `dashboard`. */
const PORTS_AFTER = { helpmaster: 1, community: 2, oauth: 3, issuer: 5 } as const;

const NAMES = ['helpmaster', 'community', 'oauth', 'issuer'] as const;

/**
 * Starts all of them: on the ports of the start before, else on ports after the API's, so that a connections file can
 * name them; on free ones where those are taken.
 */
export async function startDemoUpstreams(apiPort: number, state?: Partial<Pick<DemoState, 'ports' | 'keys'>>) {
  const portOf = (name: (typeof NAMES)[number]) =>
    state?.ports?.[name] ?? (apiPort === 0 ? 0 : apiPort + PORTS_AFTER[name]);
  const { keys } = state ?? {};
  const helpmaster = await onPort(portOf('helpmaster'), (port) =>
    startDemoHelpmaster({ port, ...(keys && { key: keys.helpmaster }) }),
  );
  const community = await onPort(portOf('community'), (port) =>
    startDemoCommunity({ port, ...(keys && { key: keys.community }) }),
  );
  const oauth = await onPort(portOf('oauth'), (port) =>
    startDemoOAuth({ port, ...(keys && { key: keys.oauth, refreshKey: keys.refresh }) }),
  );
  const issuer = await onPort(portOf('issuer'), (port) => startDemoIssuer({ port }));
  const ports = {
    helpmaster: portIn(helpmaster.url),
    community: portIn(community.url),
    oauth: portIn(oauth.url),
    issuer: portIn(issuer.url),
  };
  const moved = NAMES.filter((name) => state?.ports !== undefined && state.ports[name] !== ports[name]).map(
    (name) =>
      `port ${state?.ports?.[name]} of the demo ${name} is taken: it is on ${ports[name]}, and its slots begin empty`,
  );
  return {
    helpmaster,
    community,
    oauth,
    issuer,
    ports,
    /** A sentence for each upstream that could not have the port of the start before. */
    moved,
    async close() {
      await Promise.all([helpmaster.close(), community.close(), oauth.close(), issuer.close()]);
    },
  };
}

function portIn(url: string): number {
  return Number(new URL(url).port);
}

async function onPort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return start(0);
    throw error;
  }
}
