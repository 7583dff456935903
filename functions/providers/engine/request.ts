import type { Connection } from '../../core/slot/connection.ts';
import { appendPath, isPartOfUrl } from '../../core/slot/placement.ts';
import type { Placement, Step } from '../../core/slot/provider.ts';
import { fillMembers, fillText, namesIn, type Values } from '../../core/slot/text.ts';
import type { HttpRequest } from '../../http/port.ts';
import { textsIn } from '../names.ts';
import { isHeaderSafe } from './answer.ts';
import { fillJson, findUnfitNumbers } from './template.ts';

/** A dot segment as a URL's parser reads it, also escaped and behind a backslash. */
const DOT_SEGMENT = /[\\/](?:\.|%2e){1,2}(?:[\\/?#]|$)/i;

/**
 * A request ready to be sent, or why these values make none; `problem` goes on after "The secret of the connection …".
 */
export type BuiltRequest =
  | { readonly kind: 'request'; readonly request: Omit<HttpRequest, 'timeoutMs'> }
  /** Names of the values of which one cannot be sent. */
  | { readonly kind: 'problem'; readonly problem: string; readonly names: readonly string[] }
  /** The host in an earlier answer is none that the provider names. */
  | { readonly kind: 'misled'; readonly why: string };

/** Puts a step's request together: texts filled in, then each encoded once (C4). */
export function buildRequest(step: Step, values: Values, connection: Connection): BuiltRequest {
  const target = buildUrl(step.url, step.hosts, values, connection);
  if (target.kind !== 'url') return target;
  const headers: Record<string, string> = { accept: acceptOf(step) };
  for (const [name, value] of Object.entries(fillMembers(step.headers, values))) headers[name.toLowerCase()] = value;
  const { basic } = step;
  // The first colon ends the name (RFC 7617 §2): with one in a value this would be another user.
  const cut =
    basic?.formEncoded === true ? [] : namesIn(basic?.user ?? '').filter((name) => values[name]?.includes(':'));
  if (cut.length > 0)
    return { kind: 'problem', problem: 'has a `:` in the user name of Basic, which ends it', names: cut };
  const authorization = buildBasic(step, values);
  if (authorization !== undefined) headers['authorization'] = authorization;
  const query = fillParameters(step.query, values, connection);
  const unfit = findUnfitNumbers(step.json, values);
  if (unfit.length > 0) {
    return { kind: 'problem', problem: 'has what is no number where one is sent', names: unfit.flatMap(namesIn) };
  }
  const body = buildBody(step, values, connection, query);
  if (body !== undefined) headers['content-type'] ??= body.type;
  const unsafe = Object.keys(headers).find((name) => !isHeaderSafe(headers[name] ?? ''));
  if (unsafe !== undefined) {
    const named = Object.entries(step.headers ?? {}).filter(([name]) => name.toLowerCase() === unsafe);
    const names = named.flatMap(([, text]) => namesIn(text));
    return { kind: 'problem', problem: 'has characters that no header may carry', names };
  }
  const certificate = fillCertificate(step, values);
  return {
    kind: 'request',
    request: {
      method: step.method ?? 'POST',
      url: withQuery(target.url, query),
      headers,
      ...(body && { body: body.text }),
      ...(certificate && { certificate }),
      ...trustOf(connection),
    },
  };
}

/** The certificates that a request to the connection's upstream trusts. */
export function trustOf(connection: Connection): { readonly caCertificate?: string } {
  return connection.caCertificate === undefined ? {} : { caCertificate: connection.caCertificate };
}

/** The client certificate that a step or a placement asks for. */
export function fillCertificate(
  { certificate }: Pick<Step | Placement, 'certificate'>,
  values: Values,
): HttpRequest['certificate'] {
  const cert = certificate && fillText(certificate.cert, values);
  const key = certificate && fillText(certificate.key, values);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

type BuiltUrl = Exclude<BuiltRequest, { kind: 'request' }> | { readonly kind: 'url'; readonly url: string };

/** A URL: what stands for a host or for several segments as it is, every other value as one segment. */
function buildUrl(
  text: string,
  hosts: readonly string[] | undefined,
  values: Values,
  connection: Connection,
): BuiltUrl {
  const { provider, baseUrl } = connection;
  const [first] = /^\{\w+\}/.test(text) ? namesIn(text) : [];
  const isRaw = (name: string) => name === first || name === 'baseUrl' || isPartOfUrl(provider, name);
  const isFollowed = text.startsWith(`{${first}}/`);
  const dots: string[] = [];
  const filled = fillText(text, values, (value, name) => {
    if (isRaw(name)) return name === first && isFollowed ? value.replace(/\/+$/, '') : value;
    if (value === '.' || value === '..') dots.push(name);
    return encodeURIComponent(value);
  });
  if (dots.length > 0) return { kind: 'problem', problem: 'makes a path that leads elsewhere', names: dots };
  if (filled === undefined) return { kind: 'misled', why: 'the earlier answer did not say where to go on' };
  const url = filled.startsWith('/') ? appendPath(baseUrl, filled) : filled;
  const isOfAnswer = first !== undefined && first !== 'baseUrl' && !isPartOfUrl(provider, first);
  if (isOfAnswer && !leadsTo(url, hosts, connection)) {
    return { kind: 'misled', why: 'the earlier answer leads to a host that the provider does not name' };
  }
  return { kind: 'url', url };
}

/**
 * Reports whether a URL that an answer gave leads to a host that is named, over TLS where the base URL is, and to no
 * other port than its scheme's or the base URL's.
 */
export function leadsTo(url: string, hosts: readonly string[] | undefined, { baseUrl }: Connection): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, port, username, password } = new URL(url);
  const base = new URL(baseUrl);
  const isSecure = protocol === 'https:' || protocol === base.protocol;
  const isPlain = username === '' && password === '' && (port === '' || port === base.port);
  return isSecure && isPlain && (hosts ?? []).some((host) => matchesHost(hostname, host));
}

/**
 * Reports whether the address of an API is none that the provider names: of another host, with a dot segment, or with a
 * query, behind which no path is one.
 */
export function isMisled(connection: Connection, baseUrl: string): boolean {
  const { hosts } = connection.provider.placement;
  const isStrange = hosts !== undefined && (/[?#]/.test(baseUrl) || !leadsTo(baseUrl, hosts, connection));
  return isStrange || DOT_SEGMENT.test(baseUrl);
}

function matchesHost(hostname: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

/** A URL with further parameters in its query. */
export function withQuery(url: string, pairs: readonly (readonly [string, string])[]): string {
  if (pairs.length === 0) return url;
  const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function acceptOf({ answer = 'json' }: Step): string {
  return { json: 'application/json', xml: 'application/xml', text: '*/*' }[answer];
}

function buildBasic({ basic }: Step, values: Values): string | undefined {
  if (basic === undefined) return undefined;
  const encode = basic.formEncoded === true ? formEncoded : (value: string) => value;
  const user = fillText(basic.user, values);
  const password = fillText(basic.password, values);
  if (user === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${encode(user)}:${encode(password)}`, 'utf8').toString('base64')}`;
}

/**
 * The texts by which a request gives several values away as one, before they are encoded: no message may repeat them,
 * however short each value is. A fixed text beside one value gives nothing away.
 */
export function collectJoinedTexts(
  { basic, query, headers, form, json, parameters }: Step,
  values: Values,
): readonly string[] {
  const pair = basic === undefined ? [] : [`${basic.user}:${basic.password}`];
  const texts = [query, headers, form, json, parameters?.of].flatMap(textsIn);
  const joined = [...pair, ...texts].filter((text) => namesIn(text).length > 1);
  return joined.flatMap((text) => fillText(text, values) ?? []);
}

/** `application/x-www-form-urlencoded`, as RFC 6749 §2.3.1 and appendix B have it before the base64. */
function formEncoded(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1);
}

/** The body, and its type; parameters that travel in the query are added to it. */
function buildBody(
  step: Step,
  values: Values,
  connection: Connection,
  query: Parameter[],
): { readonly type: string; readonly text: string } | undefined {
  if (step.json !== undefined) return json(fillJson(step.json, values));
  if (step.form !== undefined) return form(fillParameters(step.form, values, connection));
  if (step.xml !== undefined) return { type: 'application/xml', text: fillText(step.xml, values, escapeXml) ?? '' };
  if (step.parameters === undefined) return undefined;
  const parameters = fillParameters(step.parameters.of, values, connection);
  switch (fillText(step.parameters.as, values)) {
    case 'json':
      return json(gatherParameters(parameters));
    case 'form':
      return form(parameters);
    default:
      query.push(...parameters);
      return undefined;
  }
}

function json(value: unknown) {
  return { type: 'application/json', text: JSON.stringify(value) };
}

function form(parameters: Parameter[]) {
  return { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(parameters).toString() };
}

/** Parameters as members of a JSON object; a name that comes several times is a list. */
function gatherParameters(parameters: Parameter[]) {
  const byName = Map.groupBy(parameters, ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, all]) => {
      const [first, ...others] = all.map(([, value]) => value);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

type Parameter = [name: string, value: string];

/** The parameters of a form or a query: a `repeated` setting gives one for each of its members (RFC 8707 §2). */
export function fillParameters(
  members: Readonly<Record<string, string>> | undefined,
  values: Values,
  { provider: { settings = {} } }: Connection,
): Parameter[] {
  return Object.entries(fillMembers(members, values)).flatMap(([name, value]): Parameter[] => {
    const setting = settings[/^\{(\w+)\}$/.exec(members?.[name] ?? '')?.[1] ?? ''];
    const each = setting?.repeated === true ? value.split(setting.separator ?? ' ') : [value];
    return each.map((one) => [name, one]);
  });
}

function escapeXml(value: string): string {
  return value.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
