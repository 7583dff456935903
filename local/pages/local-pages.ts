import { createBrokerApi } from '../../client/broker-api.ts';
import { systemClock } from '../../client/clock.ts';
import { createSlotActions } from '../../client/dashboard/slot-actions.ts';
import { ONE_TRY } from '../../client/dashboard/state.ts';
import { endpointOf } from '../../client/endpoint.ts';
import { createProxyCall } from '../../client/proxy-call.ts';
import { createSigner } from '../../client/signing.ts';
import { createTransport, type Transport } from '../../client/transport.ts';
import type { Environment } from '../../functions/adapters/aws/client.ts';
import { createKmsClient, createKmsRequests } from '../../functions/adapters/aws/kms.ts';
import { createKmsKeys } from '../../functions/adapters/aws/kms-keys.ts';
import { createDynamodbClient } from '../../functions/adapters/dynamodb/client.ts';
import { createDynamodbStore } from '../../functions/adapters/dynamodb/store.ts';
import { systemClock as brokerClock, systemRandom } from '../../functions/adapters/system.ts';
import type { Configuration } from '../../functions/configuration/configuration.ts';
import { composeTokenFunction } from '../../functions/token/function.ts';
import { KEY_ALIAS } from '../aws/kms.ts';
import type { DemoUpstreams } from '../demo-upstreams.ts';
import { BROKER, TABLE } from '../functions.ts';
import type { LocalPage } from '../gateway/gateway.ts';
import type { Activity } from './activity.ts';
import { createDemoControls } from './demo-faults.ts';
import { createHerd } from './herd.ts';
import { createPages } from './pages.ts';
import { createRefreshPoint } from './refresh-point.ts';

/** Composes the pages of `npm start`. The gateway serves `byRoute` before all routes. */
export function createLocalPages(parts: {
  /** Gets the URL of the gateway. */
  readonly url: () => string;
  readonly configuration: Configuration;
  readonly environment: Environment;
  readonly activity: Activity;
  readonly demo: DemoUpstreams | undefined;
  readonly caller: string;
  /** Runs the schedule once. */
  readonly sweep: () => Promise<void>;
}): { readonly byRoute: ReadonlyMap<string, LocalPage>; close(): Promise<void> } {
  const { activity, environment, demo } = parts;
  const waiting = { transport: transportTo(parts.url), clock: systemClock, random: Math.random };
  const api = createBrokerApi(waiting);
  const proxy = createProxyCall({ ...waiting, budget: ONE_TRY });
  const client = createDynamodbClient(environment);
  const keyService = createKmsClient(environment);
  const requests = createKmsRequests({ client: keyService, keyId: KEY_ALIAS });
  const byRoute = createPages({
    api,
    async call({ connection, subject }, path) {
      const { status, body } = await proxy(connection, path, { subject });
      await body?.cancel();
      return status;
    },
    connections: parts.configuration.connections,
    activity,
    controls: demo === undefined ? new Map() : createDemoControls(demo, parts.configuration.connections),
    herd: createHerd({
      composeTokenFunction: () => composeTokenFunction({ environment, output: activity.log }),
      caller: parts.caller,
      purge: createSlotActions(api).purge,
      loginsOf: (connection) => activity.countsOf(connection).logins,
    }),
    refresh: createRefreshPoint({
      store: createDynamodbStore({ client, table: TABLE }),
      keys: createKmsKeys({ requests, broker: BROKER, clock: brokerClock }),
      broker: BROKER,
      random: systemRandom,
      runSchedule: parts.sweep,
    }),
  });
  return {
    byRoute,
    async close() {
      client.destroy();
      keyService.destroy();
    },
  };
}

/** Creates the transport to the broker. Calls `url` for each request, since the broker may start later. */
function transportTo(url: () => string): Transport {
  return (request, limits) => {
    const endpoint = endpointOf({ url: url(), environment: {} });
    return createTransport({ endpoint, sign: createSigner({ endpoint, clock: systemClock }), fetch })(request, limits);
  };
}
