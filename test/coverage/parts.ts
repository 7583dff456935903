import { XMLParser } from 'fast-xml-parser';
import { isJsonObject, type JsonValue } from '../../functions/core/words/json.ts';
import type { HttpRequest } from '../../functions/http/port.ts';

/** A request as texts by where they stand: `header x-key`, `query page`, `json.user.name`. */
export type Parts = Readonly<Record<string, string>>;

export const TYPES = {
  form: 'application/x-www-form-urlencoded',
  json: 'application/json',
  xml: 'application/xml',
} as const;
const XML = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '$',
  parseTagValue: false,
  htmlEntities: true,
});

/** Takes a request apart. Which answers it accepts is left out: no facts say it. */
export function partsOf({ method, url, headers, body, certificate }: HttpRequest): Parts {
  const [target = '', query = ''] = url.split('?');
  const { 'header accept': _, ...sent } = named('header', headers);
  return {
    method,
    url: target,
    ...named('query', parametersIn(query)),
    ...sent,
    ...(body !== undefined && partsOfBody(String(body), sent['header content-type'])),
    ...(certificate && { certificate: certificate.cert + certificate.key }),
  };
}

type Fill = (text: string) => string | undefined;
const AS_IT_IS: Fill = (text) => text;

/** Members as parts, filled in; those that name an absent value are left out. Names of headers are in lower case. */
export function named(where: 'header' | 'query', members: Readonly<Record<string, string>>, fill = AS_IT_IS): Parts {
  const parts = Object.entries(members).map(([name, text]) => [
    `${where} ${where === 'header' ? name.toLowerCase() : name}`,
    fill(text),
  ]);
  return Object.fromEntries(parts.filter(([, value]) => value !== undefined));
}

/** Every leaf of a body by its path. In JSON no other value is like its text. */
export function leavesOf(tree: JsonValue, path: string, fill = AS_IT_IS): Parts {
  if (typeof tree === 'string') {
    const value = fill(tree);
    return value === undefined ? {} : { [path]: value };
  }
  const isLeaf = !Array.isArray(tree) && !isJsonObject(tree);
  if (isLeaf) return { [path]: path.startsWith('json') ? `<${tree}>` : String(tree) };
  const leaves = Object.entries(tree).map(([name, each]) => leavesOf(each, `${path}.${name}`, fill));
  return Object.assign({}, leaves.every((each) => Object.keys(each).length === 0) ? { [path]: '<{}>' } : {}, ...leaves);
}

function partsOfBody(text: string, type: string | undefined): Parts {
  if (type === TYPES.json) return leavesOf(JSON.parse(text), 'json');
  return type === TYPES.xml ? leavesOf(XML.parse(text), 'xml') : leavesOf(parametersIn(text), 'form');
}

/** Parameters by name; one that is repeated as several lines. */
function parametersIn(text: string): Record<string, string> {
  const parameters = new URLSearchParams(text);
  return Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name).join('\n')]));
}
