import type { BrokerApi } from '../broker-api.ts';
import { TokenBrokerError } from '../error.ts';

/** State of the broker by its last answer. An error that it answers is an answer too. */
export type BrokerState = 'unasked' | 'ok' | 'unreachable';

/** Watch over the calls of the broker, for the health answer and the log. */
export interface BrokerWatch {
  state(): BrokerState;
  /** Notes how a call ends, and passes it on. */
  watching<T>(call: Promise<T>): Promise<T>;
  /** Returns the API with the calls for tokens watched. */
  watched(api: BrokerApi): BrokerApi;
}

/** Creates the watch. Calls `report` once when the broker begins to fail, and once when it answers again. */
export function createBrokerWatch(report: (line: string) => void): BrokerWatch {
  let state: BrokerState = 'unasked';

  function note(next: BrokerState, why = ''): void {
    if (next === 'unreachable' && state !== next)
      report(`No answer of the broker: ${why} Tokens that are good go on being handed out.`);
    if (next === 'ok' && state === 'unreachable') report('The broker answers again.');
    state = next;
  }

  async function watching<T>(call: Promise<T>): Promise<T> {
    try {
      const result = await call;
      note('ok');
      return result;
    } catch (error) {
      // A mistake in the call, and a caller who went away, say nothing of the broker.
      if (error instanceof TokenBrokerError && error.kind !== 'usage') {
        const isAnswer = error.kind === 'problem' || (error.kind === 'gateway' && (error.status ?? 0) < 500);
        note(isAnswer ? 'ok' : 'unreachable', error.detail);
      }
      throw error;
    }
  }

  return {
    state: () => state,
    watching,
    watched: (api) => ({
      ...api,
      handOut: (slot, options) => watching(api.handOut(slot, options)),
      reject: (slot, hash, budget) => watching(api.reject(slot, hash, budget)),
    }),
  };
}
