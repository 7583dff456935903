import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { withMiddleware } from '../api/middleware.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createRotation } from '../core/operate/rotation.ts';
import type { Connection } from '../core/slot/connection.ts';
import type { Store } from '../core/slot/store.ts';
import type { Clock, Telemetry } from '../core/words/platform.ts';

export type RotationHandler = (event: unknown, context: Context) => Promise<void>;

/** The part that is read of Secrets Manager's event "Secret Label Updated": the secret's ARN, and its name. */
const eventSchema = z.object({
  resources: z.array(z.string()),
  detail: z.object({ name: z.string() }),
});

/** Creates the function that ends the back-off of the connections whose secret has a new current version. */
export function createRotationFunction(dependencies: {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly connections: Readonly<Record<string, Connection>>;
}): RotationHandler {
  const rotate = createRotation(dependencies);
  const { telemetry } = dependencies;
  const connections = Object.values(dependencies.connections);

  return withMiddleware<unknown, void>({ telemetry }, async (event) => {
    const { data } = eventSchema.safeParse(event);
    if (data === undefined) {
      telemetry.warn('An event named no secret and was passed over.', {});
      return;
    }
    const names = [...data.resources, data.detail.name];
    for (const connection of connections.filter(({ secret }) => names.includes(secret))) await rotate(connection);
  });
}

/** Composes the function that new secret versions set off from its environment. */
export function composeRotationFunction(surroundings: Surroundings): RotationHandler {
  return createRotationFunction(createInstance('rotation', surroundings));
}
