import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { withMiddleware } from '../api/middleware.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createRotation } from '../core/operate/rotation.ts';
import type { Connection } from '../core/slot/connection.ts';
import type { Store } from '../core/slot/store.ts';
import type { Clock, Telemetry } from '../core/words/platform.ts';

export type RotationHandler = (event: unknown, context: Context) => Promise<void>;

/**
 * The part that is read of EventBridge's event of a CloudTrail record. A `PutSecretValue` names the secret as its caller did,
 * by name or ARN; a `RotationSucceeded` has its ARN in `additionalEventData`.
 */
const eventSchema = z.object({
  detail: z.object({
    requestParameters: z.nullish(z.object({ secretId: z.optional(z.string()) })),
    additionalEventData: z.nullish(z.object({ SecretId: z.optional(z.string()) })),
  }),
});

/** Secrets Manager appends a hyphen and six characters to the name in an ARN. */
const ARN_SUFFIX = /-[A-Za-z0-9]{6}$/;

/** Creates the function that ends the back-off of the connections whose secret has a new version. */
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
    const parsed = eventSchema.safeParse(event);
    const named = parsed.data?.detail.requestParameters?.secretId ?? parsed.data?.detail.additionalEventData?.SecretId;
    if (named === undefined) {
      telemetry.warn('An event named no secret and was passed over.', {});
      return;
    }
    for (const connection of connections.filter(({ secret }) => isSameSecret(secret, named))) await rotate(connection);
  });
}

/** Reports whether two ids, each a name or an ARN, name the same secret. A caller may leave the end of an ARN out. */
function isSameSecret(one: string, other: string): boolean {
  if (isArn(one) && isArn(other)) return one === other || withoutEnd(one) === other || one === withoutEnd(other);
  if (!isArn(one) && !isArn(other)) return one === other;
  const [name, arn] = isArn(one) ? [other, one] : [one, other];
  const inArn = arn.split(':').slice(6).join(':');
  return name === inArn || name === withoutEnd(inArn);
}

function isArn(id: string): boolean {
  return id.startsWith('arn:');
}

function withoutEnd(arn: string): string {
  return arn.replace(ARN_SUFFIX, '');
}

/** Composes the function that new secret versions set off from its environment. */
export function composeRotationFunction(surroundings: Surroundings): RotationHandler {
  return createRotationFunction(createInstance('rotation', surroundings));
}
