import type { HandOutRecord } from '../../functions/core/hand-out/audit.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import type {
  ForwardedAnswer,
  ForwardedRequest,
  Forwarder,
  ForwardOutcome,
} from '../../functions/core/proxy/forwarder.ts';
import { createProxy } from '../../functions/core/proxy/proxy.ts';
import type { Connection, ProxyPolicy } from '../../functions/core/slot/connection.ts';
import { SYSTEM } from '../../functions/core/slot/slot.ts';
import { hashOf } from '../../functions/core/slot/token.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { workforceConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

/** A call of the forwarder, with the hash of the token to place, in true time. */
export interface Forwarded {
  readonly tokenHash: string;
  readonly timeoutMs: number;
  readonly at: number;
}

/** Options of one proxied call. */
export interface Calling {
  readonly subject?: string;
  readonly caller?: string;
  readonly request?: Partial<ForwardedRequest>;
  /** The time that the caller waits for its answer. */
  readonly leftMs?: number;
}

const POLICY: ProxyPolicy = { methods: ['GET'], paths: ['/'], headers: [], timeoutSeconds: 8 };

/**
 * A calm world with one connection and one instance of the proxy before an upstream whose gated answers the test
 * writes; by default each is 200 and renews nothing.
 */
export function proxiedCalls({
  connection = workforceConnection(),
  policy: changed = {},
}: {
  readonly connection?: Connection;
  readonly policy?: Partial<ProxyPolicy>;
} = {}) {
  const made = harness({ connection });
  const { operators, fleet, time } = made;
  const policy = { ...POLICY, ...changed };
  const forwarded: Forwarded[] = [];
  const audits: HandOutRecord[] = [];
  const slow = { auditMs: 0 };
  const script: ((call: Forwarded) => ForwardOutcome | Promise<ForwardOutcome>)[] = [];

  const forwarder: Forwarder = {
    async forward({ token, timeoutMs }) {
      const call = { tokenHash: hashOf(token), timeoutMs, at: time.now() };
      forwarded.push(call);
      return (script.shift() ?? (() => answered(200)))(call);
    },
  };

  /** The upstream's answer; with `slid`, one that renewed the token. */
  function answered(status: number, slid?: { readonly value: string; readonly lifeSeconds?: number }): ForwardOutcome {
    const answer: ForwardedAnswer = { status, headers: {}, body: new Uint8Array() };
    const requestStartedAt = operators.clock.now();
    if (slid === undefined) return { kind: 'answer', answer, requestStartedAt };
    const { value, lifeSeconds: seconds = 1_200 } = slid;
    return { kind: 'answer', answer, slid: { value: new Secret(value), life: { seconds } }, requestStartedAt };
  }

  const audit = {
    async handOut(record: HandOutRecord): Promise<void> {
      await time.after(slow.auditMs);
      audits.push(record);
    },
  };
  const memory = createTokenMemory();
  const minter = fleet.invokerFor(operators.process);
  const requestMint = createRequestMint({ ...operators, minter });
  const proxy = createProxy({ ...operators, memory, minter, requestMint, audit, forwarder });

  function start({
    subject = SYSTEM,
    caller = 'some-caller',
    request = {},
    leftMs = 23_000,
  }: Calling = {}): Promise<ForwardedAnswer> {
    return proxy({
      connection,
      policy,
      slot: made.slot(subject),
      request: { method: 'GET', path: '/', query: '', headers: {}, ...request },
      caller,
      requestId: 'some-request',
      deadline: operators.clock.monotonic() + leftMs,
    });
  }

  return {
    ...made,
    forwarded,
    audits,
    /** Delays of steps that take no time by default. */
    slow,
    answered,
    /** The answers to the next gated requests, in order. */
    script,
    /** Answers the next gated requests with these statuses. */
    answerNext(...statuses: readonly number[]): void {
      script.push(...statuses.map((status) => () => answered(status)));
    },
    /** Answers the next gated request with a renewed token. */
    slideNext(slid: { readonly value?: string; readonly lifeSeconds?: number } = {}): void {
      script.push(() => answered(200, { value: 'slid-token', ...slid }));
    },
    startCall: start,
    /** Calls, and gives the status of the answer. */
    call: async (calling?: Calling): Promise<number> => (await time.settle(start(calling))).status,
    /** Calls, and gives the error that comes of it. */
    async refusedCall(calling?: Calling): Promise<BrokerError> {
      const error = await time.settle(start(calling).catch((thrown: unknown) => thrown));
      if (!(error instanceof BrokerError)) throw new Error('the call was answered');
      return error;
    },
  };
}
