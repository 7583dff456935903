import { isJsonObject, type JsonValue } from '../../core/words/json.ts';
import type { Provider } from '../provider.ts';
import { saysLocked } from './upstream-message.ts';

/** What an answer says of itself beside a token. */
export interface RefusalWords {
  /** It says no somewhere, whatever else it says. */
  readonly saysNo: boolean;
  /** It says outright that all went well, whatever else it says. */
  readonly saysYes: boolean;
  /** Why, in the upstream's own words: those about a lock before others. Undefined where it does not say. */
  readonly message: string | undefined;
}

/**
 * Reads how an answer says no: the provider's flag and message, in upper, lower or camel case, flat or in the envelope
 * (C5, C12). A server may be set to write its members in another case, and a refusal missed is a login tried again.
 */
export function refusalWordsOf({ refusal, envelope }: Provider, answer: JsonValue | undefined): RefusalWords {
  if (refusal === undefined) return { saysNo: false, saysYes: false, message: undefined };
  const places = [answer, ...(envelope === undefined ? [] : membersNamed(envelope, answer))];
  const all = (name: string) => places.flatMap((place) => membersNamed(name, place));
  const messages = all(refusal.message).flatMap((value) =>
    typeof value === 'string' && value.trim() !== '' ? [value] : [],
  );
  const flags = all(refusal.flag);
  return {
    saysNo: flags.includes(false),
    saysYes: flags.includes(true),
    message: messages.find(saysLocked) ?? messages[0],
  };
}

/** The values of an object's members of that name, written in any case. */
function membersNamed(name: string, value: JsonValue | undefined): readonly JsonValue[] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value)
    .filter(([member]) => member.toLowerCase() === name.toLowerCase())
    .map(([, held]) => held);
}
