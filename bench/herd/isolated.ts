import { createLambdaClient, createLambdaMint } from '../../functions/adapters/aws/lambda-mint.ts';
import { createDynamodbStore } from '../../functions/adapters/dynamodb/store.ts';
import { systemClock, systemRandom } from '../../functions/adapters/system.ts';
import { mintFunctionNames } from '../../functions/composition/environment.ts';
import { createHandOut } from '../../functions/core/hand-out/hand-out.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { BROKER, TABLE } from '../../local/functions.ts';
import { CALLER } from '../broker.ts';
import { slotItem, type Times } from '../loopback/sealed-slot.ts';
import type { BrokerSystem } from '../system/broker-system.ts';

/** The counts and times of a herd of isolated instances; times in milliseconds. */
export interface IsolatedHerd {
  readonly logins: number;
  readonly operations: number;
  readonly mostByOne: number;
  readonly failed: number;
  readonly longestWaitMs: number;
}

/**
 * Lets so many instances that share nothing but the store ask for one slot at once, whose token has these times.
 * Counts what the callers ask of the store; what `mint` asks is its own.
 */
export async function isolatedHerd(
  system: BrokerSystem,
  { subject, instances, times }: { readonly subject: string; readonly instances: number; readonly times: Times },
): Promise<IsolatedHerd> {
  const { connection, environment, client, keys } = system;
  const slot = slotOf(connection, subject);
  await system.put([slotItem(BROKER, slot, await keys.generate(slot), times)]);
  const store = createDynamodbStore({ client, table: TABLE });
  const lambda = createLambdaClient(environment);
  const minter = createLambdaMint({ client: lambda, functionNameOf: mintFunctionNames(environment) });
  const loginsBefore = system.helpmaster.ledger().logins.length;

  const one = async () => {
    const counted = countCalls(store);
    const telemetry = { metrics: () => undefined, warn: () => undefined, info: () => undefined };
    const ports = { store: counted.store, minter, telemetry, clock: systemClock, random: systemRandom };
    const handOut = createHandOut({
      ...ports,
      requestMint: createRequestMint(ports),
      keys,
      memory: createTokenMemory(),
      audit: { handOut: () => undefined },
      broker: BROKER,
    });
    const began = performance.now();
    const deadline = systemClock.monotonic() + 23_000;
    const handedOut = await handOut({ connection, slot, caller: CALLER, requestId: 'bench', deadline }).catch(
      () => undefined,
    );
    return { waitMs: performance.now() - began, calls: counted.calls(), failed: handedOut === undefined };
  };
  const all = await Promise.all(Array.from({ length: instances }, one));
  // A refresh ahead of expiry is under way when the last caller has long been answered.
  const until = performance.now() + 5_000;
  const logins = () => system.helpmaster.ledger().logins.length - loginsBefore;
  while (logins() === 0 && performance.now() < until) await systemClock.sleep(20);
  lambda.destroy();
  return {
    logins: logins(),
    operations: all.reduce((sum, { calls }) => sum + calls, 0),
    mostByOne: Math.max(...all.map(({ calls }) => calls)),
    failed: all.filter(({ failed }) => failed).length,
    longestWaitMs: Math.max(...all.map(({ waitMs }) => waitMs)),
  };
}

/** A store that counts the operations it is asked for. */
function countCalls(store: Store): { readonly store: Store; calls(): number } {
  let calls = 0;
  const counted = new Proxy(store, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function') return method;
      return (...given: unknown[]) => {
        calls += 1;
        return Reflect.apply(method, target, given);
      };
    },
  });
  return { store: counted, calls: () => calls };
}
