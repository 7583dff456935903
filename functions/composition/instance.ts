import type { Writable } from 'node:stream';
import type { Environment } from '../adapters/aws/client.ts';
import { createDynamodbClient } from '../adapters/dynamodb/client.ts';
import { createDynamodbStore } from '../adapters/dynamodb/store.ts';
import { createObservability, type Observability } from '../adapters/observability.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { Store } from '../core/slot/store.ts';
import type { Clock, Random } from '../core/words/platform.ts';
import { readConfiguration, readRequired, VARIABLES } from './environment.ts';

/** The dependencies of every function of the broker. */
export interface Instance extends Observability {
  readonly broker: string;
  readonly configuration: Configuration;
  readonly connections: Configuration['connections'];
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** The world that a function is composed from. */
export interface Surroundings {
  readonly environment: Environment;
  /** Gets log lines and metrics; standard output by default, which Lambda collects. */
  readonly output?: Writable;
}

/** Creates a function's dependencies from its environment; `service` names the function in logs and metrics. */
export function createInstance(service: string, { environment, output }: Surroundings): Instance {
  const broker = readRequired(environment, VARIABLES.broker);
  const configuration = readConfiguration(environment);
  return {
    broker,
    configuration,
    connections: configuration.connections,
    store: createDynamodbStore({
      client: createDynamodbClient(environment),
      table: readRequired(environment, VARIABLES.table),
    }),
    clock: systemClock,
    random: systemRandom,
    ...createObservability({ broker, service, ...(output === undefined ? {} : { output }) }),
  };
}
