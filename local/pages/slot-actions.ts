import { createHash } from 'node:crypto';
import { isBrokerErrorCode } from '../../functions/core/errors.ts';
import type { ApiAnswer, BrokerApi } from './broker-api.ts';
import { remedyByCode } from './remedies.ts';

/** The slot that a button belongs to. */
export interface NamedSlot {
  readonly connection: string;
  readonly subject: string;
}

/** What came of a button, as the page gets it. Times in ISO 8601; never a token. */
export interface ActionResult {
  readonly ok: boolean;
  readonly status: number;
  readonly elapsed_ms: number;
  /** Of the token that was handed out: the first 12 hex digits of its SHA-256. */
  readonly fingerprint?: string;
  readonly generation?: number;
  readonly source?: string;
  readonly expires_at?: string;
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly remedy?: string;
}

/** The buttons that every broker can answer. */
export interface SlotActions {
  handOut(slot: NamedSlot): Promise<ActionResult>;
  /** Gets the slot's token and reports it as refused by the upstream. */
  reject(slot: NamedSlot): Promise<ActionResult>;
  purge(slot: NamedSlot): Promise<ActionResult>;
  /** Forwards one GET to the upstream, with the token placed by the broker. */
  call(slot: NamedSlot, path: string): Promise<ActionResult>;
}

const FINGERPRINT_DIGITS = 12;

/** Does with the broker's own API what the page's buttons say. Tokens come and go here, and are never kept or returned. */
export function createSlotActions(api: BrokerApi): SlotActions {
  const pathOf = ({ connection, subject }: NamedSlot) => `/tokens/${connection}/${subject}`;

  async function timed(work: () => Promise<ApiAnswer>): Promise<ActionResult> {
    const began = performance.now();
    const answer = await work();
    return resultOf(answer, Math.round(performance.now() - began));
  }

  return {
    handOut: (slot) => timed(() => api({ method: 'GET', path: pathOf(slot) })),
    reject: (slot) =>
      timed(async () => {
        const current = await api({ method: 'GET', path: pathOf(slot) });
        const token = current.json['access_token'];
        if (typeof token !== 'string') return current;
        return api({ method: 'POST', path: pathOf(slot), body: { rejected: sha256(token) } });
      }),
    purge: (slot) => timed(() => api({ method: 'DELETE', path: pathOf(slot) })),
    call: ({ connection, subject }, path) =>
      timed(() => api({ method: 'GET', path: `/proxy/${connection}/${subject}${path}` })),
  };
}

/** What the page may know of an answer: of a hand-out its fingerprint, of a problem its words, of an upstream its status. */
export function resultOf({ status, json }: ApiAnswer, elapsedMs: number): ActionResult {
  const plain = { ok: status >= 200 && status < 300, status, elapsed_ms: elapsedMs };
  const { access_token: token, generation, source, expires_at: expiresAt, code, title, detail } = json;
  if (typeof token === 'string') {
    return {
      ...plain,
      fingerprint: sha256(token).slice(0, FINGERPRINT_DIGITS),
      ...(typeof generation === 'number' ? { generation } : {}),
      ...(typeof source === 'string' ? { source } : {}),
      ...(typeof expiresAt === 'string' ? { expires_at: expiresAt } : {}),
    };
  }
  if (typeof code !== 'string' || !isBrokerErrorCode(code)) return plain;
  return {
    ...plain,
    code,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof detail === 'string' ? { detail } : {}),
    remedy: remedyByCode[code],
  };
}

function sha256(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
