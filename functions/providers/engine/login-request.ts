import type { Connection } from '../../core/slot/connection.ts';
import type { HttpRequest } from '../../http/port.ts';
import type { CredentialPart, FromSetting, Login, Template } from '../provider.ts';
import { isHeaderSafe } from './answer.ts';
import { placedToken, trustOf, upstreamUrl } from './upstream-request.ts';

/** A login ready to be sent, with the texts it gives away; or why this credential cannot be sent. */
export type LoginRequest =
  | {
      readonly kind: 'request';
      readonly request: Omit<HttpRequest, 'timeoutMs'>;
      /** The credential as it was put together, before it was encoded. */
      readonly texts: readonly string[];
    }
  | { readonly kind: 'problem'; readonly problem: string };

type Values = Readonly<Record<string, string>>;

/** What a credential becomes while its parts are added. */
interface Draft {
  readonly query: string[];
  readonly headers: Record<string, string>;
  readonly texts: string[];
  body?: string;
}

/**
 * Puts a login together: templates filled in with the fields of the secret and `subject`, then encoded once (C4). No
 * token goes with it (C1).
 */
export function loginRequest(options: {
  readonly login: Login;
  readonly connection: Connection;
  readonly fields: Values;
  readonly subject: string;
}): LoginRequest {
  const { login, connection } = options;
  const values = { ...options.fields, subject: options.subject };
  const draft: Draft = { query: [], headers: { accept: 'application/json' }, texts: Object.values(options.fields) };
  for (const part of login.credential) addPart(draft, part, values, connection);

  const unsafe = Object.values(draft.headers).some((value) => !isHeaderSafe(value));
  if (unsafe) return { kind: 'problem', problem: 'has characters that no header may carry' };
  const url = upstreamUrl(connection, settingOr(login.path, connection));
  const query = draft.query.length === 0 ? '' : `?${draft.query.join('&')}`;
  return {
    kind: 'request',
    request: {
      method: login.method,
      url: `${url}${query}`,
      headers: draft.headers,
      ...(draft.body === undefined ? {} : { body: draft.body }),
      ...trustOf(connection),
    },
    texts: draft.texts,
  };
}

/** The request that slides: a GET with the current token placed (C14). */
export function slideRequest(connection: Connection, path: string, token: string): Omit<HttpRequest, 'timeoutMs'> {
  return {
    method: 'GET',
    url: upstreamUrl(connection, path),
    headers: { accept: 'application/json', ...placedToken(connection, token) },
    ...trustOf(connection),
  };
}

function addPart(draft: Draft, part: CredentialPart, values: Values, connection: Connection): void {
  if (part.as === 'basic') {
    const pair = `${fill(part.user, values)}:${fill(part.password, values)}`;
    draft.texts.push(pair);
    draft.headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    return;
  }
  const fields = Object.entries(part.fields).map(([name, template]) => [name, fillValue(template, values)] as const);
  const pairs = fields.map(([name, value]): [string, string] => [name, String(value)]);
  draft.texts.push(...secretTexts(part.fields, values));
  switch (settingOr(part.as, connection)) {
    case 'json':
      draft.headers['content-type'] = 'application/json';
      draft.body = JSON.stringify(Object.fromEntries(fields));
      return;
    case 'form':
      draft.headers['content-type'] = 'application/x-www-form-urlencoded';
      draft.body = new URLSearchParams(pairs).toString();
      return;
    case 'query':
      draft.query.push(...pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`));
      return;
    case 'header':
      for (const [name, value] of pairs) draft.headers[name.toLowerCase()] = value;
      return;
    default:
      throw new TypeError('a credential part is encoded in no known way');
  }
}

/** The texts made of more than one value; a fixed text such as a grant type gives nothing away. */
function secretTexts(fields: Readonly<Record<string, Template>>, values: Values): readonly string[] {
  return Object.values(fields)
    .filter((template): template is string => typeof template === 'string' && /\{\w+\}./.test(template))
    .map((template) => fill(template, values));
}

function fillValue(template: Template, values: Values): string | number {
  return typeof template === 'string' ? fill(template, values) : Number(fill(template.number, values));
}

function fill(template: string, values: Values): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new TypeError(`a template names \`${name}\`, which the secret does not have`);
    return value;
  });
}

function settingOr(source: string | FromSetting, connection: Connection): string {
  if (typeof source === 'string') return source;
  const value = connection.settings[source.setting];
  if (value === undefined) throw new TypeError(`the connection has no setting \`${source.setting}\``);
  return value;
}
