import type { BrokerApi, SlotName } from '../broker-api.ts';
import { TokenBrokerError } from '../error.ts';
import { type HandOut, hashOf } from '../hand-out.ts';
import { remedyOf } from '../remedies.ts';
import { ONE_TRY } from './state.ts';

/** Result of a button, as the page gets it. Times in ISO 8601; never a token. */
export interface ActionResult {
  readonly ok: boolean;
  readonly status: number;
  readonly elapsed_ms: number;
  /** Token hash of the handed-out token: the first 12 hex digits of its SHA-256. */
  readonly token_hash?: string;
  readonly generation?: number;
  readonly source?: string;
  readonly expires_at?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly remedy?: string;
}

/** Buttons that work with every broker. All reject with a `TokenBrokerError` if no broker answered. */
export interface SlotActions {
  handOut(slot: SlotName): Promise<ActionResult>;
  /** Gets the slot's token and reports it as rejected by the upstream. */
  reject(slot: SlotName): Promise<ActionResult>;
  purge(slot: SlotName): Promise<ActionResult>;
}

/** Creates the page's buttons on the broker's own API. Tokens pass through here, and are never kept or returned. */
export function createSlotActions(api: Pick<BrokerApi, 'handOut' | 'reject' | 'purge'>): SlotActions {
  return {
    handOut: (slot) => actionResult(async () => shown(await api.handOut(slot, ONE_TRY))),
    reject: (slot) =>
      actionResult(async () => {
        const { token } = await api.handOut(slot, ONE_TRY);
        return shown(await api.reject(slot, hashOf(token), ONE_TRY));
      }),
    purge: (slot) =>
      actionResult(async () => {
        await api.purge(slot, ONE_TRY);
        return { status: 204 };
      }),
  };
}

type Outcome = Omit<ActionResult, 'ok' | 'elapsed_ms'>;

/**
 * Runs work, measures its time, and returns its outcome, or the broker's problem with detail and remedy. Rejects with a
 * `TokenBrokerError` if no broker answered.
 */
export async function actionResult(work: () => Promise<Outcome>): Promise<ActionResult> {
  const began = performance.now();
  const outcome = await work().catch(problemIn);
  const ok = outcome.status >= 200 && outcome.status < 300;
  return { ok, elapsed_ms: Math.round(performance.now() - began), ...outcome };
}

function problemIn(error: unknown): Outcome {
  if (!(error instanceof TokenBrokerError) || error.kind !== 'problem' || error.status === undefined) throw error;
  const { status, code, detail } = error;
  const remedy = remedyOf(code);
  return { status, code, detail, ...(remedy === undefined ? {} : { remedy }) };
}

function shown({ tokenHash, generation, source, expiresAt }: HandOut): Outcome {
  return { status: 200, token_hash: tokenHash, generation, source, expires_at: new Date(expiresAt).toISOString() };
}
