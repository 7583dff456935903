import type { Connection } from '../../core/slot/connection.ts';
import { appendPath, isPartOfUrl } from '../../core/slot/placement.ts';
import type { JsonTemplate, Step } from '../../core/slot/provider.ts';
import { fillMembers, fillText, namesIn, type Values } from '../../core/slot/text.ts';
import type { TriedStep } from '../../core/slot/trial.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';
import { USER_AGENT } from '../../http/user-agent.ts';
import { fillParameters } from './request.ts';
import { fillJson, numberTemplateIn } from './template.ts';

/**
 * A request as its step has it, with the values in `shown`: those that may be known as they are, every other as its own
 * name in braces. It is filled in afresh and never taken from what is sent, so that nothing secret can be in it.
 */
export function showRequest(step: Step, shown: Values, connection: Connection): TriedStep['request'] {
  const { method = 'POST', basic, certificate } = step;
  const body = showBodyOf(step, shown, connection);
  const headers = {
    'user-agent': USER_AGENT,
    accept: { json: 'application/json', xml: 'application/xml', text: '*/*' }[step.answer ?? 'json'],
    ...(body && { 'content-type': body.type }),
    ...(basic && { authorization: `Basic base64(${show(basic.user, shown)}:${show(basic.password, shown)})` }),
    ...lowerNames(fillMembers(step.headers, shown)),
  };
  const parameters = body === undefined ? step.parameters?.of : undefined;
  const query = [...fillParameters(step.query, shown, connection), ...fillParameters(parameters, shown, connection)];
  return {
    method,
    url: `${showUrl(step.url, shown, connection)}${showQuery(query)}`,
    headers,
    ...(body && { body: body.shown }),
    ...(certificate && { certificate: [certificate.cert, certificate.key].map((text) => show(text, shown)).join(' ') }),
  };
}

/** JSON as a template has it, with the values in `shown`; a number that may not be known is its name. */
export function showJson(template: JsonTemplate, shown: Values): JsonValue | undefined {
  const number = numberTemplateIn(template);
  if (number !== undefined) {
    const text = fillText(number, shown);
    return text === undefined || Number.isNaN(Number(text)) ? text : Number(text);
  }
  if (Array.isArray(template)) return template.flatMap((each) => showJson(each, shown) ?? []);
  if (!isJsonObject(template)) return fillJson(template, shown);
  const members = Object.entries(template).flatMap(([name, each]): [string, JsonValue][] => {
    const value = showJson(each, shown);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(members);
}

/** A text with its values; what names an absent value is empty. */
function show(text: string, shown: Values): string {
  return fillText(text, shown) ?? '';
}

function showUrl(text: string, shown: Values, { provider, baseUrl }: Connection): string {
  const [first] = /^\{\w+\}/.test(text) ? namesIn(text) : [];
  const url = fillText(text, shown, (value, name) => {
    const isAsItIs = name === first || name === 'baseUrl' || isPartOfUrl(provider, name) || value === `{${name}}`;
    return isAsItIs ? value : encodeURIComponent(value);
  });
  // A step that names an absent value in its URL is not sent.
  return url?.startsWith('/') ? appendPath(baseUrl, url) : (url ?? text);
}

function showQuery(query: readonly (readonly [string, string])[]): string {
  const pairs = query.map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function showBodyOf(
  { json, form, xml, parameters }: Step,
  shown: Values,
  connection: Connection,
): { readonly type: string; readonly shown: JsonValue } | undefined {
  const gathered = (members: Readonly<Record<string, string>>) => gather(fillParameters(members, shown, connection));
  const asForm = (members: Readonly<Record<string, string>>) => ({
    type: 'application/x-www-form-urlencoded',
    shown: gathered(members),
  });
  if (json !== undefined) return { type: 'application/json', shown: showJson(json, shown) ?? null };
  if (form !== undefined) return asForm(form);
  if (xml !== undefined) return { type: 'application/xml', shown: show(xml, shown) };
  if (parameters === undefined) return undefined;
  const as = fillText(parameters.as, shown);
  if (as === 'json') return { type: 'application/json', shown: gathered(parameters.of) };
  return as === 'form' ? asForm(parameters.of) : undefined;
}

/** Parameters by name; one that comes several times is a list. */
function gather(parameters: readonly (readonly [string, string])[]): JsonValue {
  const byName = Map.groupBy(parameters, ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, all]) => {
      const values = all.map(([, value]) => value);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}

function lowerNames(members: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name.toLowerCase(), value]));
}
