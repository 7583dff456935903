import type { MintRequest } from '../core/slot/mint-message.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/words/json.ts';

const TRIGGERS = ['caller', 'reader', 'schedule', 'operator'] as const;
const WAYS = ['login', 'renewal'] as const;

/** Parses the event of an invocation of `mint`; undefined where it is no request, or has a member too many. */
export function parseMintRequest(event: JsonValue | undefined): MintRequest | undefined {
  if (!isJsonObject(event)) return undefined;
  const { connection, subject, fingerprint, trigger: said, lease: given, candidate, ...others } = event;
  const trigger = TRIGGERS.find((each) => each === said);
  const lease = given === undefined ? undefined : parseLease(given);
  const isWhole = typeof connection === 'string' && typeof subject === 'string' && typeof fingerprint === 'string';
  if (!isWhole || trigger === undefined || !isEmpty(others)) return undefined;
  if (given !== undefined && lease === undefined) return undefined;
  if (candidate !== undefined && (candidate !== true || trigger !== 'operator' || lease === undefined))
    return undefined;
  const parts = { ...(lease !== undefined && { lease }), ...(candidate !== undefined && { candidate }) };
  return { connection, subject, fingerprint, trigger, ...parts };
}

function parseLease(given: JsonValue): MintRequest['lease'] | undefined {
  if (!isJsonObject(given)) return undefined;
  const { id, takenAt, way: said, ...others } = given;
  const way = WAYS.find((each) => each === said);
  const isWhole = typeof id === 'string' && typeof takenAt === 'number' && (said === undefined || way !== undefined);
  return isWhole && isEmpty(others) ? { id, takenAt, ...(way !== undefined && { way }) } : undefined;
}

function isEmpty(others: JsonObject): boolean {
  return Object.keys(others).length === 0;
}
