import { createHandOut } from '../../functions/core/hand-out/hand-out.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import { createLogout } from '../../functions/core/mint/logout.ts';
import { createMint } from '../../functions/core/mint/mint.ts';
import type { Upstream, UpstreamFailure, UpstreamOutcome } from '../../functions/core/mint/upstream.ts';
import { createPurge } from '../../functions/core/operate/purge.ts';
import { createRotation } from '../../functions/core/operate/rotation.ts';
import type { Forwarder, ForwardOutcome } from '../../functions/core/proxy/forwarder.ts';
import { createProxy } from '../../functions/core/proxy/proxy.ts';
import type { SlotChange } from '../../functions/core/slot/changes.ts';
import type { LogoutRequest, MintRequest } from '../../functions/core/slot/mint-message.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import { type Slot, slotOf } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { hashOf } from '../../functions/core/slot/token.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { createMemoryTable } from '../simulation/memory-table.ts';
import type { createGateProperties, Result } from './gate-properties.ts';
import { createMinter } from './minter.ts';
import type { Answer, Broken, CallPort, Plan, Process, Role } from './plan.ts';
import { type createProperties, createToken, findSerial } from './properties.ts';

/** Everything that the functions of a small world are run by. */
export interface Stage {
  readonly plan: Plan;
  readonly table: ReturnType<typeof createMemoryTable>;
  /** Checks of the slot that a process works on. */
  propertiesOf(process: { readonly slot: Slot }): ReturnType<typeof createProperties>;
  readonly gate: ReturnType<typeof createGateProperties>;
  now(): number;
  readonly broken: Broken;
  found(invariant: string, what: string): void;
  /** Hears of each new version of the secret. */
  onRenewal(version: string): void;
  readonly call: CallPort;
  /** Starts a process; its first call is its start. */
  start(own: Pick<Process, 'name' | 'role' | 'slot'>, run: (process: Process) => Promise<unknown>): Process;
}

/** Time for the work itself, of the 24 s of a caller's request. */
const REQUEST_MS = 23_000;
const KEY = { plaintext: new Secret(new Uint8Array(32)), encrypted: new Uint8Array(1) };
const POLICY = { methods: ['GET'], paths: ['/'], headers: [], timeoutSeconds: 8 };
const REQUEST = { method: 'GET', path: '/', query: '', headers: {} };

/**
 * Creates production's functions, each for one slot, with ports that the search answers. Keys, secret and audit answer
 * at once: no other function can tell when they did.
 */
export function createFunctions({
  plan,
  table,
  propertiesOf,
  gate,
  now,
  broken,
  call,
  start,
  found,
  onRenewal,
}: Stage) {
  const { connection } = plan;
  const rejectedHash = plan.start?.record?.token?.hash;
  let serial = findSerial(rejectedHash);
  let serialOfVersion = 1;
  const nameVersion = () => `version-${serialOfVersion}`;
  onRenewal(nameVersion());

  function storeOf(process: Process): Store {
    const { slot } = process;
    const properties = propertiesOf(process);
    const read = <T>(what: string, give: () => T) => call(process, what, () => [{ give }]);
    /** A write whose reply is lost was made. The SDK sends it again, or gives up. */
    const write = <T>(what: string, give: () => T) =>
      call<T>(process, what, () => [
        { give },
        { what: 'sent again', fault: 'lost reply', give: () => [give(), give()][1] as T },
        {
          what: 'its reply is lost',
          fault: 'lost reply',
          give() {
            give();
            throw new BrokerError('store_unavailable', 'The reply was lost.');
          },
        },
      ]);
    const change = (given: SlotChange) => {
      const lease = given.set?.lease?.id;
      if (lease !== undefined) properties.given(process, lease);
      return table.write(slot, broken.alter(given));
    };
    const noted = (record: SlotRecord | undefined) => {
      properties.hasRead(process, record);
      return record;
    };
    const stale = { what: 'behind', fault: 'stale read' as const };
    return {
      read: (_, { consistent }) =>
        call(process, 'read', () => [
          {
            give() {
              process.hasNews = false;
              return noted(table.get(slot));
            },
          },
          ...(consistent ? [] : [{ ...stale, give: () => noted(table.getStale(slot, Infinity, pickLastButOne)) }]),
        ]),
      write: (_, given) => write(given.name, () => change(given)),
      writeAndRead: (_, given) => write(given.name, () => (change(given) ? table.get(slot) : undefined)),
      list: () => read('list', () => ({ slots: table.all() })),
      due: () => read('due', () => []),
      logins: () =>
        read('logins', () => {
          const found = table.logins(slot.connection);
          gate.hasRead(process, found);
          return found && broken.blind(found);
        }),
      writeLogins: (name, given) => write(given.name, () => table.writeLogins(name, broken.alter(given))),
      kept: (name) => read('kept', () => table.kept(name)),
      writeKept: (name, given) => write(given.name, () => table.writeKept(name, given)),
      writePermit: (name, number, given) => write(given.name, () => table.writePermit(name, number, given)),
    };
  }

  function issue(process: Process, requestStartedAt: number, isAgain = false) {
    propertiesOf(process).issued(process);
    if (!isAgain) serial += 1;
    const number = isAgain ? 1 : serial;
    return {
      value: createToken(number),
      life: { seconds: connection.lifetimeSeconds ?? 0 },
      requestStartedAt,
      attributes: { number },
    };
  }

  function upstreamOf(process: Process): Upstream & Forwarder {
    const { slot } = process;
    const properties = propertiesOf(process);
    const isDead = (token: Secret<string>) => !connection.tokensOverlap && findSerial(hashOf(token)) < serial;
    const token = (at: number, isAgain?: boolean) => ({
      give: (): UpstreamOutcome => ({ kind: 'token', ...issue(process, at, isAgain) }),
    });
    const unknown = { what: 'no answer', fault: 'unknown outcome' as const, give: () => failure('upstream_timeout') };
    return {
      waysOf: () => ({
        keepsClosed: false,
        ...(plan.slides === true && { renewal: { source: 'slide', needsSecret: false } }),
        ...(connection.provider.logout !== undefined && { logout: { needsSecret: false } }),
      }),
      login({ timeoutMs, secret }) {
        const at = now();
        properties.sent(process, 'login', timeoutMs);
        const login = gate.sent(process, secret.reveal(), timeoutMs);
        const refuse = () => {
          properties.refused(process, secret.reveal());
          return failure('upstream_credential_rejected', 'refused');
        };
        const ending = (result: Result, answer: Answer<UpstreamOutcome>) => ({
          ...answer,
          give() {
            login.ended(result);
            return answer.give();
          },
        });
        return call<UpstreamOutcome>(process, 'login', () => [
          ending('token', token(at, plan.reissues)),
          ending('unknown', unknown),
          ending('refused', { what: 'refused', fault: 'refused login', give: refuse }),
        ]);
      },
      renew({ timeoutMs, token: used }) {
        const at = now();
        properties.sent(process, 'slide', timeoutMs, hashOf(used));
        const give = () => {
          properties.sessionEnded(process);
          return { ...failure('upstream_invalid_response'), ended: true as const };
        };
        return call<UpstreamOutcome>(process, 'slide', () =>
          isDead(used) ? [{ give }] : [token(at), unknown, { what: '401', fault: 'unauthorized', give }],
        );
      },
      logout({ timeoutMs, token: used }) {
        properties.sent(process, 'logout', timeoutMs, hashOf(used));
        properties.logsOut(process, hashOf(used), table.get(slot));
        const give = () => {
          properties.logsOut(process, hashOf(used), table.get(slot));
          return undefined;
        };
        return call<UpstreamFailure | undefined>(process, 'logout', () => [{ give }, unknown]);
      },
      forward({ timeoutMs, token: used }) {
        const at = now();
        properties.sent(process, 'call', timeoutMs, hashOf(used));
        const answer = (status: number, slid?: ReturnType<typeof issue>): ForwardOutcome => {
          const answered = { status, headers: {}, body: new Uint8Array() };
          return { kind: 'answer', answer: answered, requestStartedAt: at, ...(slid === undefined ? {} : { slid }) };
        };
        const rejected = { what: '401', give: () => answer(401) };
        const good = { give: () => answer(200, plan.slides === true ? issue(process, at) : undefined) };
        return call<ForwardOutcome>(process, 'call', () =>
          isDead(used) ? [rejected] : [good, unknown, { ...rejected, fault: 'unauthorized' }],
        );
      },
    };
  }

  /** Keys answer at once, but in worlds where one may be missing. */
  async function decrypt(process: Process) {
    if (plan.faults.unopened === undefined) return KEY.plaintext;
    const give = () => {
      propertiesOf(process).unopened(process);
      return undefined;
    };
    const missing = { what: 'no key', fault: 'unopened' as const, give };
    return call(process, 'decrypt', () => [{ give: () => KEY.plaintext }, missing]);
  }

  function portsOf(process: Process) {
    let ids = 0;
    const ports = {
      ...{
        broker: 'broker',
        memory: createTokenMemory(),
        store: storeOf(process),
        minter: createMinter({ call, now }, process, invoke),
      },
      ...{ upstream: upstreamOf(process), forwarder: upstreamOf(process) },
      telemetry: { metrics() {}, warn() {}, info() {} },
      clock: {
        now,
        monotonic: now,
        sleep(ms: number) {
          const since = now();
          // A second look at an unchanged slot tells only that time has passed.
          const isWorthIt = () => process.hasNews || now() >= since + ms;
          return call<void>(process, 'sleep', () => (isWorthIt() ? [{ give() {} }] : []));
        },
      },
      random: {
        fraction: () => 0.5,
        bytes: (length: number) => new Uint8Array(length),
        uuid() {
          ids += 1;
          // Like a UUID it has no blanks.
          return `${process.name.replaceAll(' ', '-')}#${ids}`;
        },
      },
      keys: { generate: async () => KEY, decrypt: () => decrypt(process) },
      secrets: { current: async () => ({ versionId: nameVersion(), value: new Secret(nameVersion()) }) },
      async loginWithKept(): Promise<never> {
        throw new Error('No credential rotates here.');
      },
      async tryCandidate(): Promise<never> {
        throw new Error('Nobody tries a candidate here.');
      },
      audit: { async handOut() {} },
    };
    return { ...ports, requestMint: createRequestMint(ports) };
  }

  function invoke(name: string, request: MintRequest | LogoutRequest): Process {
    return request.trigger === 'purge' ? startLogout(name, request) : startMint(name, request);
  }

  function startMint(name: string, request: MintRequest): Process {
    const slot = slotOf(connection, request.subject);
    const process = start({ name, role: 'mint', slot }, async (own) => {
      try {
        return { kind: 'reply', reply: await createMint(portsOf(own))(request, connection) };
      } catch (error) {
        found('14', `${name} ends with ${error}`);
        return { kind: 'function_error' };
      }
    });
    if (request.lease !== undefined) propertiesOf(process).asked(process, request.lease.id);
    return process;
  }

  function startLogout(name: string, request: LogoutRequest): Process {
    const slot = slotOf(connection, request.subject);
    return start({ name, role: 'mint', slot }, async (own) => createLogout(portsOf(own))(request, connection));
  }

  /** Gives the secret a version that was never refused. */
  function renewSecret(): void {
    serialOfVersion += 1;
    onRenewal(nameVersion());
  }

  const run = {
    get: (ports, about) => createHandOut(ports)(about),
    report: (ports, about) =>
      createHandOut(ports)({ ...about, ...(rejectedHash === undefined ? {} : { rejectedHash }) }),
    call: (ports, about) => createProxy(ports)({ ...about, policy: POLICY, request: REQUEST }),
    delete: (ports, about) => createPurge(ports)(about),
    rotate(ports) {
      renewSecret();
      return createRotation(ports)(connection, nameVersion());
    },
  } satisfies Record<Exclude<Role, 'schedule'>, (ports: Ports, about: About) => Promise<unknown>>;

  return {
    start(role: Role, name: string, slot: Slot): Process {
      if (role === 'schedule') return startMint(name, { ...slot, trigger: 'schedule' });
      const about = { connection, slot, caller: plan.isOneCaller === true ? 'the caller' : name, requestId: name };
      return start({ name, role, slot }, (own) => run[role](portsOf(own), { ...about, deadline: now() + REQUEST_MS }));
    },
    renewSecret,
    listState: () => [serial, serialOfVersion],
  };

  type Ports = ReturnType<typeof portsOf>;
}

interface About {
  readonly connection: Stage['plan']['connection'];
  readonly slot: Slot;
  readonly caller: string;
  readonly requestId: string;
  readonly deadline: number;
}

function failure(code: UpstreamFailure['code'], backOff: UpstreamFailure['backOff'] = 'unknown'): UpstreamFailure {
  return { kind: 'failure', code, backOff, detail: code };
}

/** Picks the version before the last. */
export function pickLastButOne(count: number): number {
  return Math.max(count - 2, 0);
}
