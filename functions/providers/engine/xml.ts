import { XMLParser } from 'fast-xml-parser';
import type { JsonValue } from '../../core/words/json.ts';

/** Parses XML: elements become members, repeated ones lists, attributes go. What declares entities is not read. */
export function parseXml(text: string): JsonValue | undefined {
  if (!text.trimStart().startsWith('<') || /<!(?:DOCTYPE|ENTITY)/i.test(text)) return undefined;
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    processEntities: true,
    // For characters by number: the five entities that XML has of its own are always read.
    htmlEntities: true,
  });
  try {
    const parsed: JsonValue = parser.parse(text);
    return parsed;
  } catch {
    return undefined;
  }
}
