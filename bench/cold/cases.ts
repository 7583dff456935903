import { join } from 'node:path';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { SYSTEM, slotOf } from '../../functions/core/slot/slot.ts';
import { eventOf, HAND_OUT_EVENT, MEASURED } from '../broker.ts';
import { type Bundle, bundleByDefault, bundleFunction, bundleInOne } from './bundles.ts';

/** One thing that is started cold: its bundle, the event it gets first, and what its environment has besides. */
export interface ColdCase {
  readonly name: string;
  readonly bundle: Bundle;
  readonly event: unknown;
  readonly environment?: Readonly<Record<string, string>>;
}

export const BARE_CLIENT = 'bare client';
export const TWIN = 'bare client, again';
export const TOKEN = 'token';
export const TOKEN_COLD = 'token, no warm-up';

const HERE = import.meta.dirname;

/** Everything that is started, bundled into `folder`. */
export function coldCases(folder: string, connection: Connection): readonly ColdCase[] {
  const client = bundleByDefault(join(HERE, 'bare-client.ts'), join(folder, 'bare-client.cjs'));
  const token = bundleFunction('token', join(folder, 'token'));
  const withoutWarmUp = join(HERE, 'token-without-warm-up.ts');
  const handOut = (name: string, bundle: Bundle): ColdCase => ({ name, bundle, event: HAND_OUT_EVENT });
  return [
    handOut('bare handler', bundleByDefault(join(HERE, 'bare.ts'), join(folder, 'bare.cjs'))),
    handOut(BARE_CLIENT, client),
    handOut(TWIN, client),
    handOut(
      'bare clients: DynamoDB, KMS, Lambda',
      bundleByDefault(join(HERE, 'needed-clients.ts'), join(folder, 'needed-clients.cjs')),
    ),
    handOut(TOKEN, token),
    handOut(TOKEN_COLD, bundleFunction('token', join(folder, 'token-cold'), withoutWarmUp)),
    handOut('token, one ES module', bundleInOne('token', join(folder, 'token-esm'), 'esm')),
    handOut(
      'token, one CommonJS file, no warm-up',
      bundleInOne('token', join(folder, 'token-cjs'), 'cjs', withoutWarmUp),
    ),
    {
      ...handOut('token, compile cache', token),
      environment: { NODE_COMPILE_CACHE: join(folder, 'compile-cache') },
    },
    ...otherFunctions(folder, connection),
  ];
}

function otherFunctions(folder: string, connection: Connection): readonly ColdCase[] {
  const deployed = (name: string, event: unknown): ColdCase => ({
    name,
    bundle: bundleFunction(name, join(folder, name)),
    event,
  });
  return [
    deployed('connections', eventOf('GET /connections', {})),
    deployed('mint', { ...slotOf(connection, SYSTEM), trigger: 'schedule' }),
    deployed('proxy', eventOf(`ANY /proxy/${MEASURED}/{subject}/{path+}`, { subject: SYSTEM, path: 'jobs' })),
    deployed('refresh', {}),
    deployed('exchange', eventOf('POST /oauth2/token', {}, { body: '' })),
    deployed('rotation', { detail: {} }),
  ];
}
