import type { Step } from '../../core/slot/provider.ts';
import { fillText, namesIn, type Values } from '../../core/slot/text.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';

/** Scope of Microsoft's that stands for whatever was consented to, and comes back as that. */
const EVERYTHING = '/.default';
const MOST_LISTED = 5;

/**
 * Warns of a scope in an answer that is narrower than the one that its request asked for (RFC 6749 §5.1): an API call
 * will be refused that nobody expects to be. Names what is missing by the settings' own words alone.
 */
export function findMissingScope(
  { form, query, json, parameters }: Step,
  values: Values,
  settings: Values,
  granted: JsonValue | undefined,
): string | undefined {
  const inJson = isJsonObject(json) ? json['scope'] : undefined;
  const asked = [form, query, parameters?.of].map((members) => members?.['scope']).find((each) => each !== undefined);
  const template = asked ?? inJson;
  if (typeof template !== 'string' || !namesIn(template).every((name) => Object.hasOwn(settings, name)))
    return undefined;
  const has = new Set(wordsOf(granted));
  const missing = wordsOf(fillText(template, values)).filter((word) => !has.has(word) && !word.endsWith(EVERYTHING));
  if (missing.length === 0 || !isScope(granted)) return undefined;
  const listed = missing.slice(0, MOST_LISTED).map((word) => `\`${word}\``);
  const others = missing.length > MOST_LISTED ? ` and ${missing.length - MOST_LISTED} more` : '';
  return `The upstream granted less than \`scope\` asks for: not ${listed.join(', ')}${others}. Have it granted to this client, or ask for less.`;
}

function isScope(value: JsonValue | undefined): boolean {
  return typeof value === 'string' || Array.isArray(value);
}

/** The members of a scope: servers write a list, or a text with spaces or commas between them. */
function wordsOf(scope: JsonValue | undefined): readonly string[] {
  const texts = Array.isArray(scope) ? scope : [scope];
  return texts.flatMap((text) => (typeof text === 'string' ? text.split(/[\s,]+/).filter((word) => word !== '') : []));
}
