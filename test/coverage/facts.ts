import { isJsonObject, type JsonObject, type JsonValue } from '../../functions/core/words/json.ts';
import type { Keys, Values } from './given.ts';
import type { Need, NeededStep } from './need.ts';
import {
  ANSWERED_HOST,
  addressOf,
  homeOf,
  madeTokenOf,
  NAMED,
  REFRESH_MEMBER,
  UNSAID_SECONDS,
  WHOAMI_PATH,
} from './need.ts';
import { leavesOf, named, type Parts, TYPES } from './parts.ts';

/** Epoch milliseconds: when everything happens. */
export const NOW = 1_800_000_000_000;
const LIFE_SECONDS = 1234;
const COOKIES = ['SESSION=s3ss:ion; Path=/; HttpOnly', 'NODE=.node1; Path=/', 'OLD=gone; Max-Age=0'];

export interface Answer {
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
}

/** A request that is expected, and its answer. */
export type Exchange = readonly [Parts, Answer];

/**
 * Reads a need by itself: nothing of a provider or of the engine goes into it. In parts, a computed value that differs
 * from time to time stays as `{d:name}`. `round` is 1 for a login and 2 for the refresh after it.
 */
export function readFacts(need: Need, values: Values, keys: Keys, round: 1 | 2 = 1) {
  const { steps, token, expiry, use, computed } = need;
  const address = addressOf(need);
  const made = madeTokenOf(need);
  const home = fillUrl(homeOf(need));

  return {
    home,
    lifeSeconds: expiry.how === 'fixed' ? expiry.seconds : expiry.how === 'none' ? UNSAID_SECONDS : LIFE_SECONDS,
    token: tokenIn(round),
    /** An API call carries a part of the credential beside the token. */
    isForProxy: Object.entries({ ...use.headers, ...use.query }).some(([, template]) =>
      template.replace(/\{d:(\w+)\}/, (_, name) => computed[name] ?? '').includes('{s:'),
    ),
    /** The requests of a login, with their answers. */
    login(): readonly Exchange[] {
      const chain = steps.map((step, index): Exchange => [requestOf(step), answerTo(index + 1)]);
      if (!need.whoami) return chain;
      const bearer = named('header', { authorization: use.headers['authorization'] ?? '' }, fill);
      return [...chain, [{ method: 'GET', url: `${home}${WHOAMI_PATH}`, ...bearer }, answerTo(steps.length + 1)]];
    },
    refresh(): readonly Exchange[] {
      const tree = { grant_type: 'refresh_token', refresh_token: `refresh-${round - 1}` };
      return steps.slice(-1).map((step) => {
        const body = need.refreshIsToken ? undefined : { as: step.body?.as ?? 'form', tree };
        const bearer = need.refreshIsToken && { 'header authorization': `Bearer ${tokenIn(round - 1)}` };
        return [{ ...requestOf({ ...step, query: {}, body }), ...bearer }, answerTo(steps.length)];
      });
    },
    /** Builds the URL, headers and query of an API call. */
    placed(): Parts {
      const url = fillUrl(use.base).replace(/\/$/, '');
      return { url, ...named('header', use.headers, fill), ...named('query', use.query, fill) };
    },
  };

  function tokenIn(round: number): string {
    if (made !== undefined) return `{d:${made}}`;
    if (token.in === 'cookies') return 'SESSION=s3ss:ion; NODE=.node1';
    if (expiry.how !== 'jwt') return `t0k~en.${round}+/-=`;
    const parts = [{ alg: 'none' }, { exp: NOW / 1000 + LIFE_SECONDS, round }].map((each) => JSON.stringify(each));
    return `${parts.map((part) => Buffer.from(part).toString('base64url')).join('.')}.signature`;
  }

  /** A text with its values; undefined where one is absent. */
  function fill(template: string, encode = (value: string, _before: string) => value): string | undefined {
    let isAbsent = false;
    const text = template.replace(NAMED, (_, kind: string | undefined, name: string, at: number) => {
      const value = valueFor(kind, name);
      isAbsent ||= value === undefined;
      return encode(value ?? '', template.slice(0, at));
    });
    return isAbsent ? undefined : text;
  }

  /** A URL: its host as it is, every other value as one segment. */
  function fillUrl(template: string): string {
    const isHost = (before: string) => /^(?:https:\/\/[^/]*)?$/.test(before);
    return fill(template, (value, before) => (isHost(before) ? value : encodeURIComponent(value))) ?? '';
  }

  function valueFor(kind: string | undefined, name: string): string | undefined {
    if (kind === undefined) return tokenIn(round);
    if (kind === 'c' && name === address?.name) return answered(address.step, name);
    const [step, ...path] = name.split(':');
    if (kind === 'n') return answered(Number(step), path.join());
    if (kind !== 'd') return values.get(`${kind}:${name}`);
    const how = computed[name] ?? '';
    if (how === 'time') return new Date(NOW).toISOString();
    return how.startsWith('base64 ') ? base64(fill(how.slice(7))) : `{d:${name}}`;
  }

  /** Makes the value of a member other than the token. It is an address if a URL is built from it. */
  function answered(step: number, member: string): string {
    const isUrl = member === address?.name || steps.some(({ url }) => url.startsWith(`{n:${step}:${member}}`));
    return isUrl ? `https://step${step}.${ANSWERED_HOST}` : `${member} of answer ${step}`;
  }

  function requestOf({ method, url, headers, query, body, basic, formEncodedBasic, mtls }: NeededStep): Parts {
    const encode = formEncodedBasic ? formEncoded : (text = '') => text;
    const pair = basic?.map((each) => encode(fill(each))).join(':');
    return {
      method,
      url: fillUrl(url),
      ...named('header', headers, fill),
      ...named('query', query, fill),
      ...(basic && { 'header authorization': `Basic ${base64(pair)}` }),
      ...(body && { 'header content-type': TYPES[body.as], ...leavesOf(body.tree, body.as, (text) => fill(text)) }),
      ...(mtls && { certificate: keys.certificate + keys.ec }),
    };
  }

  function answerTo(step: number): Answer {
    const named = JSON.stringify(need).matchAll(new RegExp(`\\{n:${step}:([^}]+)\\}`, 'g'));
    const beside = [...[...named].map(([, name = '']) => name), ...(step === address?.step ? [address.name] : [])];
    let content: JsonObject = {};
    for (const name of beside) content = put(content, name.split('.'), answered(step, name));
    if (step !== steps.length) return { body: JSON.stringify(content) };
    const end = {
      in: LIFE_SECONDS,
      'in-ms': LIFE_SECONDS * 1000,
      at: new Date(NOW + LIFE_SECONDS * 1000).toISOString(),
    };
    if (token.in === 'body') content = put(content, token.path, tokenIn(round));
    if ('path' in expiry) content = put(content, expiry.path, end[expiry.how]);
    const parent = token.in === 'body' ? token.path.slice(0, -1) : [];
    if (need.refresh) content = put(content, [...parent, REFRESH_MEMBER], `refresh-${round}`);
    if (token.in === 'text') return { body: `${tokenIn(round)}\r\n` };
    if (token.in === 'cookies') return { headers: { 'set-cookie': COOKIES }, body: '' };
    const isXml = steps.some(({ body }) => body?.as === 'xml');
    const headers = token.in === 'header' ? { [token.name]: [tokenIn(round)] } : {};
    return { headers, body: isXml ? xmlOf(content) : JSON.stringify(content) };
  }
}

function put(into: JsonObject, [first = '', ...rest]: readonly string[], value: JsonValue): JsonObject {
  const inner = into[first];
  return { ...into, [first]: rest.length === 0 ? value : put(isJsonObject(inner) ? inner : {}, rest, value) };
}

function base64(text = ''): string {
  return Buffer.from(text).toString('base64');
}

/** RFC 6749 appendix B. */
function formEncoded(text = ''): string {
  const percent = (each: string) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, percent)
    .replaceAll('%20', '+');
}

function xmlOf(tree: JsonValue): string {
  if (!isJsonObject(tree)) return String(tree);
  return Object.entries(tree)
    .map(([name, inner]) => `<${name}>${xmlOf(inner)}</${name}>`)
    .join('');
}
