import { findExamples, isExample } from '../functions/configuration/example-hosts.ts';
import { loadConfigurationFile } from '../functions/configuration/load-file.ts';
import { isRecord } from '../functions/configuration/shape.ts';
import { demoCommunitySecret } from './demo/community.ts';
import { demoHelpmasterSecret } from './demo/helpmaster.ts';
import { demoOAuthSecret } from './demo/oauth.ts';
import type { DemoUpstreams } from './demo-upstreams.ts';
import type { SecretFields } from './secret-source.ts';
import { StartError } from './start-error.ts';

/** The demo upstream of each provider that has one, and its credential. */
const standIns = {
  helpmaster: { upstream: 'helpmaster', secret: demoHelpmasterSecret },
  'community-web-api': { upstream: 'community', secret: demoCommunitySecret },
  'oauth-client-credentials-basic': { upstream: 'oauth', secret: demoOAuthSecret },
} as const satisfies Record<string, { readonly upstream: keyof DemoUpstreams; readonly secret: SecretFields }>;

/** Reports whether a file declares a connection at an example's address. Throws `ConfigurationError`. */
export async function hasExamples(file: string): Promise<boolean> {
  return findExamples((await loadConfigurationFile(file)).connections).length > 0;
}

/**
 * Puts the demo upstreams in the place of examples' addresses in a declaration, and reports each. Throws `StartError` for
 * a provider that has none.
 */
export function standIn(declaration: unknown, demo: DemoUpstreams, report: (message: string) => void): unknown {
  if (!isRecord(declaration) || !isRecord(declaration['connections'])) return declaration;
  const connections = Object.entries(declaration['connections']).map(([name, connection]) => {
    if (!isRecord(connection)) return [name, connection];
    const { baseUrl, provider } = connection;
    if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl) || !isExample(baseUrl)) return [name, connection];
    const entry = Object.entries(standIns).find(([its]) => its === provider);
    if (entry === undefined) {
      throw new StartError(
        `connections.${name}: ${baseUrl} is an example's address, and no demo upstream stands in for ${JSON.stringify(provider)}: put your own, and its secret into the file of --secrets.`,
      );
    }
    const [, { upstream }] = entry;
    report(`connections.${name}: ${baseUrl} is an example's address: the demo ${upstream} stands in for it`);
    return [name, { ...connection, baseUrl: demo[upstream].baseUrl }];
  });
  return { ...declaration, connections: Object.fromEntries(connections) };
}

/** Gives the credential of the demo upstream at a base URL; undefined where there is none. */
export function demoSecretAt(baseUrl: string, demo: DemoUpstreams): SecretFields | undefined {
  return Object.values(standIns).find(({ upstream }) => demo[upstream].baseUrl === baseUrl)?.secret;
}
