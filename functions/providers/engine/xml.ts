import { XMLParser } from 'fast-xml-parser';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';

/**
 * Parses XML: elements become members, repeated ones lists, attributes go. Undefined for what is no XML or declares
 * entities, and for a web page, which is no API's own answer.
 */
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
    const isWebPage = isJsonObject(parsed) && Object.keys(parsed).some((root) => root.toLowerCase() === 'html');
    return isWebPage ? undefined : parsed;
  } catch {
    return undefined;
  }
}
