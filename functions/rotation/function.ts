import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { withMiddleware } from '../api/middleware.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createRotation } from '../core/operate/rotation.ts';

/** Lambda's handler of `rotation`. */
export type RotationHandler = (event: unknown, context: Context) => Promise<void>;

/**
 * The part that is read of Secrets Manager's event "Secret Label Updated": the secret's ARN, its name, and the version
 * that is current now. Any other label, a change of the description or a denied call makes no version current.
 */
const eventSchema = z.object({
  resources: z.array(z.string()),
  detail: z.object({ name: z.string(), labelUpdated: z.literal('AWSCURRENT'), versionId: z.string() }),
});

/** Composes the function that has the new current version of a secret proven, and ends back-offs of the one before. */
export function composeRotationFunction(surroundings: Surroundings): RotationHandler {
  const instance = createInstance('rotation', surroundings);
  const rotate = createRotation(instance);
  const { telemetry } = instance;
  const connections = Object.values(instance.connections);

  return withMiddleware<unknown, void>({ telemetry }, async (event) => {
    const { data } = eventSchema.safeParse(event);
    if (data === undefined) {
      telemetry.warn('An event named no new current version of a secret and was passed over.', {});
      return;
    }
    const names = [...data.resources, data.detail.name];
    for (const connection of connections.filter(({ secret }) => names.includes(secret)))
      await rotate(connection, data.detail.versionId);
  });
}
