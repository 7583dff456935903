import { createLambdaClient, createLambdaMint } from '../../functions/adapters/aws/lambda-mint.ts';
import { createDynamodbStore } from '../../functions/adapters/dynamodb/store.ts';
import { systemClock, systemRandom } from '../../functions/adapters/system.ts';
import { mintFunctionNames } from '../../functions/composition/environment.ts';
import { createHandOut } from '../../functions/core/hand-out/hand-out.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { BROKER, TABLE } from '../../local/functions.ts';
import { CALLER } from '../broker.ts';
import { slotItem, type Times } from '../loopback/sealed-slot.ts';
import type { BrokerSystem } from '../system/broker-system.ts';

/** The counts and times of a herd of isolated instances; times in milliseconds. */
export interface IsolatedHerd {
  readonly logins: number;
  readonly operations: number;
  readonly mostByOne: number;
  /** Requests without a token, by the code of their error. */
  readonly failed: Readonly<Record<string, number>>;
  readonly longestWaitMs: number;
  /** From the first request to the login, and to the first answer. */
  readonly loginAfterMs: number;
  readonly firstAnswerMs: number;
}

/**
 * Lets so many instances that share nothing but the store ask for one slot at once, whose token has these times; without
 * them the slot is empty. Counts what the callers ask of the store; what `mint` asks is its own.
 */
export async function isolatedHerd(
  system: BrokerSystem,
  { subject, instances, times }: { readonly subject: string; readonly instances: number; readonly times?: Times },
): Promise<IsolatedHerd> {
  const { connection, environment, client, keys } = system;
  const slot = slotOf(connection, subject);
  if (times !== undefined) await system.put([slotItem(BROKER, slot, await keys.generate(slot.connection), times)]);
  const store = createDynamodbStore({ client, table: TABLE });
  const lambda = createLambdaClient(environment);
  const minter = createLambdaMint({ client: lambda, functionNameOf: mintFunctionNames(environment) });
  const loginsBefore = system.helpmaster.ledger().logins.length;
  const beganAt = Date.now();

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
    const failed = await handOut({ connection, slot, caller: CALLER, requestId: 'bench', deadline }).then(
      () => [],
      (error: unknown) => [error instanceof BrokerError ? error.code : String(error)],
    );
    return { waitMs: performance.now() - began, calls: counted.calls(), failed };
  };
  const all = await Promise.all(Array.from({ length: instances }, one));
  // A refresh ahead of expiry is under way when the last caller has long been answered.
  const until = performance.now() + 5_000;
  const logins = () => system.helpmaster.ledger().logins.slice(loginsBefore);
  while (logins().length === 0 && performance.now() < until) await systemClock.sleep(20);
  lambda.destroy();
  return {
    logins: logins().length,
    operations: all.reduce((sum, { calls }) => sum + calls, 0),
    mostByOne: Math.max(...all.map(({ calls }) => calls)),
    failed: countEach(all.flatMap(({ failed }) => failed)),
    longestWaitMs: Math.max(...all.map(({ waitMs }) => waitMs)),
    loginAfterMs: Date.parse(logins()[0]?.at ?? '') - beganAt,
    firstAnswerMs: Math.min(...all.map(({ waitMs }) => waitMs)),
  };
}

function countEach(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Map.groupBy(names, (name) => name)
      .entries()
      .map(([name, all]) => [name, all.length]),
  );
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
