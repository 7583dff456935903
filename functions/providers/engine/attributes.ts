import type { JsonObject, JsonValue } from '../../core/words/json.ts';
import type { Attribute, Provider } from '../provider.ts';
import { valueAt } from './answer.ts';

/**
 * What a login said beside the token, under the names that callers see, with `asOf`: when that was, ISO 8601 to the
 * second (C6–C11). A member that is absent or of another type is null. Empty where the provider declares none.
 */
export function attributesOf(provider: Provider, content: JsonValue | undefined, requestStartedAt: number): JsonObject {
  if (provider.attributes === undefined) return {};
  const read = Object.entries(provider.attributes).map(([name, attribute]) => [
    name,
    readAttribute(attribute, content),
  ]);
  return { ...Object.fromEntries(read), asOf: `${new Date(requestStartedAt).toISOString().slice(0, 19)}Z` };
}

function readAttribute(attribute: Attribute, content: JsonValue | undefined): JsonValue {
  const value = valueAt(content, [attribute.member]);
  if ('names' in attribute) return nameOf(attribute.names, value);
  return typeof value === attribute.type && value !== undefined ? value : null;
}

/** By equality alone: a number between two known ones is neither of them (C7). */
function nameOf(names: Readonly<Record<number, string>>, value: JsonValue | undefined): string {
  return (typeof value === 'number' && Object.hasOwn(names, value) ? names[value] : undefined) ?? 'unknown';
}
