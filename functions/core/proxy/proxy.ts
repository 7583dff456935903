import { createHandOut, type HandOut, type HandOutDependencies } from '../hand-out/hand-out.ts';
import * as changes from '../slot/changes.ts';
import { BrokerError } from '../words/errors.ts';
import { type Answered, adoptSlide } from './adopt-slide.ts';
import { createExclusiveCalls } from './exclusive.ts';
import { type ForwardedAnswer, type Forwarder, type ProxyCall, UNAUTHORIZED } from './forwarder.ts';

export interface ProxyDependencies extends HandOutDependencies {
  readonly forwarder: Forwarder;
}

/** Shortest time for which reports of a dead token are ignored after a renewal that did not help (H17). */
const BARRED_AT_LEAST_MS = 30_000;
/** Shortest rest of its time in which a call is begun once it has a token. */
const SHORTEST_CALL_MS = 500;

/**
 * Creates the proxy: it sends a caller's request to the upstream with the slot's token placed. After a 401, which means
 * that the request was not carried out (H17), it renews the token and replays once; a second 401 passes through. A
 * token that the answer renewed is taken up. Throws a `BrokerError` if there is no answer of the upstream.
 */
export function createProxy(dependencies: ProxyDependencies): (call: ProxyCall) => Promise<ForwardedAnswer> {
  const { store, forwarder, clock } = dependencies;
  const handOut = createHandOut(dependencies);
  const callAlone = createExclusiveCalls(dependencies);

  async function forward(call: ProxyCall, { token }: HandOut): Promise<Answered> {
    const { connection, policy, request, deadline } = call;
    const { subject } = call.slot;
    const timeoutMs = Math.min(policy.timeoutSeconds * 1000, deadline - clock.monotonic());
    if (timeoutMs < SHORTEST_CALL_MS) {
      throw new BrokerError('deadline_exceeded', 'Getting a token took all the time there was; nothing was forwarded.');
    }
    const { value, values, closed } = token;
    const outcome = await forwarder.forward({ connection, subject, token: value, values, closed, request, timeoutMs });
    if (outcome.kind === 'failure') throw new BrokerError(outcome.code, outcome.detail);
    await adoptSlide(dependencies, call, token, outcome);
    return outcome;
  }

  /** Gets another token for the replay, or undefined if the first 401 is the answer. */
  async function renew(call: ProxyCall, rejected: HandOut): Promise<HandOut | undefined> {
    try {
      return await handOut({ ...call, via: 'proxy', rejectedHash: rejected.token.hash });
    } catch (error) {
      // The upstream's 401 tells the caller more than the reason why there is no other token.
      if (error instanceof BrokerError) return undefined;
      throw error;
    }
  }

  async function callSharing(call: ProxyCall): Promise<{ answer: ForwardedAnswer; tokenHash: string; again: boolean }> {
    const first = await handOut({ ...call, via: 'proxy' });
    const { answer } = await forward(call, first);
    if (answer.status !== UNAUTHORIZED) return { answer, tokenHash: first.token.hash, again: false };

    const second = await renew(call, first);
    if (second === undefined || call.deadline - clock.monotonic() < SHORTEST_CALL_MS) {
      return { answer, tokenHash: first.token.hash, again: false };
    }
    const replayed = await forward(call, second);
    return { answer: replayed.answer, tokenHash: second.token.hash, again: true };
  }

  return async function proxy(call) {
    const { connection, slot } = call;
    const { answer, tokenHash, again } = connection.tokensOverlap ? await callSharing(call) : await callAlone(call);
    if (again && answer.status === UNAUTHORIZED) {
      const barredMs = Math.max(BARRED_AT_LEAST_MS, connection.renewalCooldownSeconds * 1000);
      await store
        .write(slot, changes.barRenewal({ hash: tokenHash, until: clock.now() + barredMs }))
        .catch(() => false);
    }
    return answer;
  };
}
