import type { LogoutRequest, PurgedToken } from '../core/slot/mint-message.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/words/json.ts';

const TEXTS = ['ciphertext', 'dataKey', 'secretVersion', 'hash'] as const;
const NUMBERS = ['generation', 'issuedAt', 'usableUntil', 'refreshAt', 'sessionStartedAt'] as const;
const CLOSED = ['closedCiphertext', 'closedDataKey'] as const;

/** Parses the event of a logout; undefined where it is no such request, or has a member too many. */
export function parseLogoutRequest(event: JsonValue | undefined): LogoutRequest | undefined {
  if (!isJsonObject(event)) return undefined;
  const { connection, subject, fingerprint, trigger, purged, ...others } = event;
  const isWhole = typeof connection === 'string' && typeof subject === 'string' && typeof fingerprint === 'string';
  if (!isWhole || trigger !== 'purge' || Object.keys(others).length > 0) return undefined;
  return isPurged(purged) ? { connection, subject, fingerprint, trigger, purged } : undefined;
}

/** Reports whether every member is there and of its type, and no other. */
function isPurged(given: JsonValue | undefined): given is JsonObject & PurgedToken {
  if (!isJsonObject(given)) return false;
  const known: ReadonlySet<string> = new Set([...TEXTS, ...NUMBERS, ...CLOSED]);
  return (
    TEXTS.every((name) => typeof given[name] === 'string') &&
    NUMBERS.every((name) => typeof given[name] === 'number') &&
    CLOSED.every((name) => given[name] === undefined || typeof given[name] === 'string') &&
    Object.keys(given).every((name) => known.has(name))
  );
}
