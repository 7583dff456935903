import { onTestFinished } from 'vitest';
import type { HandOut } from '../../functions/core/hand-out/hand-out.ts';
import type { SweepResult } from '../../functions/core/operate/sweep.ts';
import type { Tried } from '../../functions/core/operate/try-login.ts';
import * as changes from '../../functions/core/slot/changes.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { EMPTY_RECORD, type SealedToken, type SlotRecord } from '../../functions/core/slot/record.ts';
import { type Slot, SYSTEM, slotOf } from '../../functions/core/slot/slot.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import type { StoreFault, StoreOperation } from '../simulation/memory-store.ts';
import { createWorld, type PortCall, type TokenInstance } from '../simulation/world.ts';

type Fault = StoreFault | undefined;

/** A caller's request. By default it is for the system's token, to the first instance. */
export interface Ask {
  readonly subject?: string;
  readonly minTtlSeconds?: number;
  readonly rejected?: string;
  /** The index of the instance that answers. */
  readonly on?: number;
  readonly caller?: string;
  /** The time that the caller waits for its answer. */
  readonly leftMs?: number;
}

/** A length of time; its parts add up. */
export interface Span {
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly ms?: number;
}

/** A calm world with one connection. Time moves only when a test moves it. */
export function harness({
  connection = helpdeskConnection(),
  others = [],
  instances: count = 1,
  skewOf,
  mostWaits,
}: {
  readonly connection?: Connection;
  readonly others?: readonly Connection[];
  readonly instances?: number;
  readonly skewOf?: (process: string) => number;
  readonly mostWaits?: number;
} = {}) {
  const calls: (PortCall & { readonly at: number })[] = [];
  const planned: { readonly operation: PortCall['operation']; readonly work: () => unknown; readonly fault: Fault }[] =
    [];

  async function onCall(call: PortCall): Promise<Fault> {
    calls.push({ ...call, at: world.time.now() });
    const index = planned.findIndex(({ operation }) => operation === call.operation);
    const [plan] = index < 0 ? [] : planned.splice(index, 1);
    await plan?.work();
    return plan?.fault;
  }

  // Fails a test that planned something before a call that never came.
  onTestFinished(() => {
    if (planned.length > 0) throw new Error(`there was no such call: ${planned.map(({ operation }) => operation)}`);
  });

  /** Runs `work` just before the next such call of any process takes effect. An error of `work` fails the call. */
  function beforeNext(operation: PortCall['operation'], work: () => unknown, fault?: StoreFault): void {
    planned.push({ operation, work, fault });
  }

  const world = createWorld({
    seed: 1,
    connections: [connection, ...others],
    onCall,
    ...(skewOf === undefined ? {} : { skewOf }),
    mostWaits,
  });
  const { time, table, ledger, weather } = world;
  const instances = Array.from({ length: count }, (_, n) => world.startTokenInstance(`token-${n}`));
  const accounts = world.upstreams.get(connection.name);
  if (accounts === undefined) throw new Error('the connection has no upstream');
  let requests = 0;

  function instance(n: number): TokenInstance {
    const found = instances[n];
    if (found === undefined) throw new Error(`there is no instance ${n}`);
    return found;
  }

  /** Asks without letting time pass. */
  function start({
    subject = SYSTEM,
    minTtlSeconds,
    rejected,
    on = 0,
    caller = 'some-caller',
    leftMs,
  }: Ask = {}): Promise<HandOut> {
    requests += 1;
    const request = {
      connection,
      slot: slotOf(connection, subject),
      caller,
      requestId: `request-${requests}`,
      ...(minTtlSeconds === undefined ? {} : { minTtlSeconds }),
      ...(rejected === undefined ? {} : { rejectedHash: rejected }),
    };
    return instance(on).handOut(request, leftMs);
  }

  const record = (subject: string = SYSTEM): SlotRecord => table.get(slotOf(connection, subject)) ?? EMPTY_RECORD;

  function put(fields: { readonly [F in keyof SlotRecord]?: SlotRecord[F] | undefined }, subject = SYSTEM): void {
    const after = Object.entries({ ...record(subject), ...fields }).filter(([, value]) => value !== undefined);
    table.set('spoil', slotOf(connection, subject), { ...EMPTY_RECORD, ...Object.fromEntries(after) });
  }

  async function outcome(work: Promise<HandOut>): Promise<HandOut | BrokerError> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof BrokerError) return error;
      throw error;
    }
  }

  const broker = {
    start,
    handOut: (ask?: Ask) => time.settle(start(ask)),
    /** Asks, and gives the error that comes of it. */
    async refusal(ask?: Ask): Promise<BrokerError> {
      const result = await time.settle(outcome(start(ask)));
      if (!(result instanceof BrokerError)) throw new Error('a token was handed out');
      return result;
    },
    /** Asks many times at once; gives what became of each. */
    async together(asks: readonly Ask[]): Promise<(HandOut | BrokerError)[]> {
      return time.settle(Promise.all(asks.map((ask) => outcome(start(ask)))));
    },
    sweep: (): Promise<SweepResult> => time.settle(world.sweep()),
    purge(subject = SYSTEM): Promise<void> {
      const slot = slotOf(connection, subject);
      return time.settle(world.purge({ connection, slot, caller: 'operator', requestId: 'purge' }));
    },
    /** Tries a login as an operator does; gives the error where none was made. */
    tryLogin(subject = SYSTEM, candidate = false, leftMs = 24_000): Promise<Tried | BrokerError> {
      const slot = slotOf(connection, subject);
      const deadline = world.operators.clock.monotonic() + leftMs;
      const tried = world.tryLogin({ connection, slot, candidate, caller: 'operator', requestId: 'try', deadline });
      return time.settle(
        tried.catch((error: unknown) => {
          if (error instanceof BrokerError) return error;
          throw error;
        }),
      );
    },
    /** Delivers the event of a new version of the secret, as Secrets Manager does; by default of the current one. */
    rotationEvent: (versionId = world.vault.current(connection.secret)?.versionId ?? '') =>
      time.settle(world.rotate(connection, versionId)),
    /** Puts a candidate and tries it, as `secret set --check` does. */
    tryCandidate(value: string, subject = SYSTEM): Promise<Tried | BrokerError> {
      world.vault.propose(connection.secret, value);
      return broker.tryLogin(subject, true);
    },
    /** Gives the secret a new version. */
    rotateSecret: (value: string) => world.vault.rotate(connection.secret, value),
  };

  const upstream = {
    ...accounts,
    get logins() {
      return ledger.filter(({ kind, connection: name }) => kind === 'login' && name === connection.name);
    },
    get slides() {
      return ledger.filter(({ kind, connection: name }) => kind === 'slide' && name === connection.name);
    },
    get logouts() {
      return ledger.filter(({ kind, connection: name }) => kind === 'logout' && name === connection.name);
    },
    planned: world.plannedUpstreamFaults,
    goDown(): void {
      weather.upstream.faults.unreachable = 1;
    },
  };

  return {
    ...world,
    world,
    connection,
    broker,
    upstream,
    instance,
    slot: (subject: string = SYSTEM): Slot => slotOf(connection, subject),
    record,
    /** Writes fields of a slot's item, whatever holds it; undefined takes a field away. */
    put,
    /** Writes fields of a slot's sealed token, whatever holds it. */
    putToken(fields: Partial<SealedToken>, subject = SYSTEM): void {
      const { token } = record(subject);
      if (token === undefined) throw new Error('there is no token');
      put({ token: { ...token, ...fields } }, subject);
    },
    /** Writes an item of a slot that the configuration no longer has; gives that slot. */
    putOutdated(fields: Partial<SlotRecord>): Slot {
      const outdated = { ...slotOf(connection, SYSTEM), fingerprint: 'before' };
      table.set('spoil', outdated, { ...EMPTY_RECORD, ...fields });
      return outdated;
    },
    /** Gives the lease of the slot to somebody who never comes back. */
    heldByAnother: (ms: number) => put({ lease: { id: 'another', until: time.now() + ms } }),
    /** Does to the slot's item what an operator's purge does, at once. */
    purgeItem: () => table.write(slotOf(connection, SYSTEM), changes.purge(record())),
    /** Ends the slot's item. */
    removeItem: () => table.set('ttl', slotOf(connection, SYSTEM), undefined),
    advance: (span: Span) => time.advance(msOf(span)),
    beforeNext,
    /** Makes the next such call of any process fail. */
    failNext: (operation: StoreOperation, fault: StoreFault) => beforeNext(operation, () => {}, fault),
    /** Records every such call from now on, of any process, whether it succeeds or not. */
    callsOf(operation: PortCall['operation']) {
      const from = calls.length;
      return () => calls.slice(from).filter((call) => call.operation === operation);
    },
    /** Makes reads that are not consistent find an old record of the slot, or none, from now on. */
    lag(found?: SlotRecord): void {
      weather.store.stale = { record: found };
    },
    storeDown(isDown = true): void {
      weather.store.down = isDown ? 1 : 0;
    },
  };
}

function msOf({ hours = 0, minutes = 0, seconds = 0, ms = 0 }: Span): number {
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/** A SHA-256 that is of no token. */
export const UNKNOWN_HASH = 'f'.repeat(64);
