import type { Environment } from '../../functions/adapters/aws-client.ts';
import { createDynamodbClient } from '../../functions/adapters/dynamodb-client.ts';
import type { Configuration } from '../../functions/configuration/configuration.ts';
import { composeTokenFunction } from '../../functions/token/compose.ts';
import type { Closable } from '../closing.ts';
import type { DemoUpstreams } from '../demo-upstreams.ts';
import { LOCAL_CREDENTIAL, REGION, TABLE } from '../functions.ts';
import type { LocalPage } from '../gateway/gateway.ts';
import type { Activity } from './activity.ts';
import { createBrokerApi } from './broker-api.ts';
import { createDemoControls } from './demo-faults.ts';
import { createHerd } from './herd.ts';
import { createPages } from './pages.ts';
import { createRefreshPoint } from './refresh-point.ts';
import { createSlotActions } from './slot-actions.ts';

/** Composes the pages of `npm start`. `byRoute` is what the gateway serves before all routes. */
export function createLocalPages(parts: {
  /** Where the gateway listens. */
  readonly url: () => string;
  readonly configuration: Configuration;
  readonly environment: Environment;
  readonly activity: Activity;
  readonly demo: DemoUpstreams | undefined;
  readonly caller: string;
  readonly requireSigv4: boolean;
  /** Runs the schedule once. */
  readonly sweep: () => Promise<void>;
}): Closable & { readonly byRoute: ReadonlyMap<string, LocalPage> } {
  const { activity, environment, demo } = parts;
  const signing = { region: REGION, accessKeyId: LOCAL_CREDENTIAL, secretAccessKey: LOCAL_CREDENTIAL };
  const api = createBrokerApi({ url: parts.url, signing: parts.requireSigv4 ? signing : undefined });
  const client = createDynamodbClient(environment);
  const byRoute = createPages({
    api,
    connections: parts.configuration.connections,
    activity,
    controls: demo === undefined ? new Map() : createDemoControls(demo, parts.configuration.connections),
    herd: createHerd({
      composeTokenFunction: () => composeTokenFunction({ environment, output: activity.log }),
      caller: parts.caller,
      purge: createSlotActions(api).purge,
      loginsOf: (connection) => activity.countsOf(connection).logins,
    }),
    refresh: createRefreshPoint({ client, table: TABLE, runSchedule: parts.sweep }),
  });
  return {
    byRoute,
    async close() {
      client.destroy();
    },
  };
}
