import type { MintReply } from '../../core/slot/mint-message.ts';
import { isBrokerErrorCode } from '../../core/words/errors.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';

/** Reads the payload that `mint` answered with, or returns undefined where it is no reply. A code not known is `internal`. */
export function mintReplyIn(payload: Uint8Array | undefined): MintReply | undefined {
  const parsed = parse(payload);
  if (!isJsonObject(parsed)) return undefined;
  const { outcome, generation, source, code, detail, retryAfterMs } = parsed;
  switch (outcome) {
    case 'published':
      if (typeof generation !== 'number' || (source !== 'login' && source !== 'slide')) return undefined;
      return { outcome, generation, source };
    case 'failed':
      if (typeof code !== 'string' || typeof detail !== 'string') return undefined;
      return {
        outcome,
        code: isBrokerErrorCode(code) ? code : 'internal',
        detail,
        ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
      };
    case 'busy':
    case 'superseded':
    case 'idle':
    case 'current':
    case 'waiting':
      return { outcome };
    default:
      return undefined;
  }
}

function parse(payload: Uint8Array | undefined): JsonValue | undefined {
  if (payload === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
}
