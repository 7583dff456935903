import type { JsonValue } from '../../core/words/json.ts';

/** Reports whether an upstream's words say that the account is locked. */
export function saysLocked(message: JsonValue | undefined): boolean {
  return typeof message === 'string' && /\blocked\b|\block(?:ed)?[ -]?out\b/i.test(message);
}
