import type { JsonTemplate } from '../../core/slot/provider.ts';
import { fillText, type Values } from '../../core/slot/text.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';

/** JSON with its texts filled in. A member or an element that names an absent value is left out. */
export function fillJson(template: JsonTemplate, values: Values): JsonValue | undefined {
  if (typeof template === 'string') return fillText(template, values);
  if (Array.isArray(template))
    return template.map((each) => fillJson(each, values)).filter((each) => each !== undefined);
  if (!isJsonObject(template)) return template;
  const number = numberTemplateIn(template);
  if (number !== undefined) {
    const text = fillText(number, values);
    return text === undefined ? undefined : Number(text);
  }
  const filled = Object.entries(template).flatMap(([name, each]): [string, JsonValue][] => {
    const value = fillJson(each, values);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(filled);
}

/** A number as JSON writes it (RFC 8259 §6), without an exponent. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Lists the texts of a template's numbers that are none with these values, or that are too long to be sent exactly. */
export function findUnfitNumbers(template: JsonTemplate | undefined, values: Values): readonly string[] {
  if (template === undefined || typeof template !== 'object' || template === null) return [];
  const number = numberTemplateIn(template);
  if (number === undefined) return Object.values(template).flatMap((each) => findUnfitNumbers(each, values));
  const text = fillText(number, values);
  const isFit = text === undefined || (NUMBER.test(text) && Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER);
  return isFit ? [] : [number];
}

/** The text of `{ "number": text }`. */
export function numberTemplateIn(template: JsonTemplate): string | undefined {
  if (!isJsonObject(template)) return undefined;
  const { number, ...others } = template;
  return typeof number === 'string' && Object.keys(others).length === 0 ? number : undefined;
}
