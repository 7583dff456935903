import type { ServerResponse } from 'node:http';
import { body, header, type Provider } from '../../functions/providers/provider.ts';
import { rsaKey } from '../functions/providers/test-keys.ts';
import type { Canary } from './canary-forms.ts';

const KEY = 'key-canary-71Kd02mQzR';
const TOKEN = 'token-canary-5Zz81kQw0p';
const PART = 'part-canary-0uTTqn3x7a';
const NOT_A_PEM = '-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5LCBhIGNhbmFyeSA5MzcxOTIyNDUx\n-----END PRIVATE KEY-----\n';
const PEM = rsaKey().pkcs8;

/** A secret that any of the providers here takes. */
export const GOOD_SECRET = { key: KEY, pem: PEM };

/** What must be nowhere. */
export const CANARIES: readonly Canary[] = [
  { name: 'the key', value: KEY },
  { name: 'the private key', value: PEM.split('\n').slice(1, -2).join('') },
  { name: 'what is no private key', value: 'bm90IGEga2V5LCBhIGNhbmFyeSA5MzcxOTIyNDUx' },
  { name: 'a token', value: TOKEN },
  { name: 'a part of an answer', value: PART },
];

/** One thing that is wrong in a secret or in an upstream's answers, and what comes of it. */
export interface BadInput {
  readonly name: string;
  readonly what: string;
  readonly provider: Provider;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly secret?: Readonly<Record<string, string>>;
  /** Sends the bad answer to a step, which is the end of its path. */
  readonly answer?: (response: ServerResponse, step: string) => void;
  /** Body of the answer once the upstream is mended. Null: nothing can mend it but another configuration. */
  readonly good?: string | null;
  readonly gist: string;
  /** Requests that the upstream has had by then. */
  readonly requests: number;
  /** The detail of the failure, or the warning of the token in the status. */
  readonly says?: RegExp;
}

const plain = {
  secretFields: { key: {}, pem: { kind: 'pem' } },
  logins: { system: [{ url: '/login', json: { key: '{key}' }, reads: { token: body('token') } }] },
  placement: { headers: { Authorization: 'Bearer {token}' } },
  lifetime: [{ seconds: 3_600 }],
} as const satisfies Provider;
const reading = (reads: Record<string, unknown>, rest: object = {}): Provider =>
  ({ ...plain, logins: { system: [{ ...plain.logins.system[0], reads }] }, ...rest }) as Provider;
const living = (as: string): Provider =>
  reading({ token: body('token'), life: body('life') }, { lifetime: [{ value: 'life', as }] });
const chained = (second: object): Provider =>
  ({
    ...plain,
    logins: {
      system: [
        { url: '/begin', json: { key: '{key}' }, reads: { next: body('next') } },
        { url: '/end', ...second, reads: { token: body('token') } },
      ],
    },
  }) as Provider;
const placed = reading(
  { token: body('token'), base: body('base') },
  { placement: { headers: { Authorization: 'Bearer {token}' }, baseUrl: '{base}', hosts: ['*.good.example.com'] } },
);
const xml = {
  ...plain,
  logins: {
    system: [{ url: '/login', xml: '<k>{key}</k>', answer: 'xml', reads: { token: body('r', 't') } }],
  },
} as const satisfies Provider;
const signing = (claims: object, rest: object = {}): Provider =>
  ({
    ...plain,
    derived: { proof: { jwt: { alg: 'RS256', key: '{pem}', claims, lifeSeconds: 60 } } },
    logins: { system: [{ url: '/login', form: { proof: '{proof}' }, reads: { token: body('token') } }] },
    ...rest,
  }) as Provider;

const json = (value: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(value));
const raw = (text: string) => (response: ServerResponse) => void response.end(text);
const next = (value: string) => json({ next: value });
const GOOD_XML = '<r><t>good-token</t></r>';
/** Warning of an end that is said and cannot be read. */
const UNREAD = /`life`.*not in a form that can be read/;
const INVALID = '502 upstream_invalid_response';

export const badInputs: readonly BadInput[] = [
  {
    ...{ name: 'pem', what: 'a PEM that is none', provider: signing({ iss: 'x' }), secret: { pem: NOT_A_PEM } },
    ...{ gist: '503 secret_invalid', requests: 0, says: /no private key in PEM in `pem`/ },
  },
  {
    ...{ name: 'bomb', what: 'an XML bomb', provider: xml, good: GOOD_XML, gist: INVALID, requests: 1 },
    answer: raw(
      `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "${TOKEN}"><!ENTITY b "&a;&a;&a;&a;">]><r><t>&b;</t></r>`,
    ),
  },
  {
    ...{
      name: 'entity',
      what: 'XML with an external entity',
      provider: xml,
      good: GOOD_XML,
      gist: INVALID,
      requests: 1,
    },
    answer: raw(`<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r><t>&x;</t><p>${PART}</p></r>`),
  },
  {
    ...{ name: 'cookie', what: 'a cookie with line breaks', provider: chained({ headers: { cookie: 'sid={next}' } }) },
    ...{ answer: next(`${TOKEN}\r\nX-Evil: 1`), gist: INVALID, requests: 1 },
  },
  {
    ...{ name: 'misled', what: 'a step that an answer sends elsewhere', gist: INVALID, requests: 1 },
    provider: chained({ url: '{next}/token', hosts: ['*.good.example.com'] }),
    answer: next('https://evil.example.net'),
    good: null,
  },
  {
    ...{ name: 'elsewhere', what: 'an API at a host that is not named', provider: placed, gist: INVALID, requests: 1 },
    answer: json({ token: TOKEN, base: 'https://evil.example.net' }),
  },
  {
    ...{
      name: 'userinfo',
      what: 'an API’s address with a credential in it',
      provider: placed,
      gist: INVALID,
      requests: 1,
    },
    answer: json({ token: TOKEN, base: `https://user:${PART}@api.good.example.com` }),
  },
  {
    ...{ name: 'query', what: 'an API’s address with a query', provider: placed, gist: INVALID, requests: 1 },
    answer: json({ token: TOKEN, base: `https://api.good.example.com/?sid=${PART}` }),
  },
  {
    ...{ name: 'beyond', what: 'a list that ends before the place that is read', gist: INVALID, requests: 1 },
    provider: reading({ token: body('tokens', 5) }),
    answer: json({ tokens: [TOKEN, PART] }),
    good: JSON.stringify({ tokens: ['', '', '', '', '', 'good-token'] }),
  },
  {
    ...{ name: 'twice', what: 'a header that comes twice, with two values', gist: INVALID, requests: 1 },
    provider: reading({ token: header('x-token') }),
    answer: (response) => void response.setHeader('x-token', [TOKEN, PART]).end('{}'),
    good: null,
  },
  {
    ...{
      name: 'past',
      what: 'an end that is over',
      provider: living('date'),
      gist: '502 upstream_token_unusable',
      requests: 1,
    },
    answer: json({ token: TOKEN, life: '2001-02-03T04:05:06Z' }),
    good: JSON.stringify({ token: 'good-token', life: '2099-01-01T00:00:00Z' }),
  },
  {
    ...{ name: 'zero', what: 'a life of 0', provider: living('seconds'), gist: '200 login', requests: 1, says: UNREAD },
    answer: json({ token: 'good-token', life: 0 }),
  },
  {
    ...{
      name: 'minus',
      what: 'a life of -1',
      provider: living('seconds'),
      gist: '200 login',
      requests: 1,
      says: UNREAD,
    },
    answer: json({ token: 'good-token', life: -1 }),
  },
  {
    ...{
      name: 'endless',
      what: 'a life of 1e400',
      provider: living('seconds'),
      gist: '200 login',
      requests: 1,
      says: UNREAD,
    },
    answer: raw('{"token":"good-token","life":1e400}'),
  },
  {
    ...{ name: 'long', what: 'a derived token of more than 16 KB', requests: 0, gist: INVALID },
    provider: {
      ...plain,
      settings: { pad: { kind: 'text' } },
      derived: {
        token: {
          jwt: {
            ...{ alg: 'RS256', key: '{pem}', lifeSeconds: 60 },
            claims: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`pad${n}`, '{pad}'])),
          },
        },
      },
      logins: { system: [] },
    },
    settings: { pad: 'p'.repeat(2_000) },
    ...{ good: null, says: /longer than 16384 characters/ },
  },
  {
    ...{ name: 'deep', what: 'JSON that is nested deeply', provider: plain, gist: INVALID, requests: 1 },
    answer: raw(`${'{"token":'.repeat(6_000)}"${TOKEN}"${'}'.repeat(6_000)}`),
  },
  {
    ...{ name: 'bom', what: 'a byte order mark before the JSON', provider: plain, gist: '200 login', requests: 1 },
    answer: raw('\uFEFF{"token":"good-token"}'),
  },
  {
    ...{ name: 'double', what: 'a member that comes twice', provider: plain, gist: '200 login', requests: 1 },
    answer: raw('{"token":"old-token","token":"good-token"}'),
  },
  {
    ...{ name: 'proto', what: 'a `__proto__` with a token in it', provider: plain, gist: INVALID, requests: 1 },
    answer: raw(`{"__proto__":{"token":"${TOKEN}"},"constructor":{"prototype":{"token":"${PART}"}}}`),
  },
  {
    ...{ name: 'object', what: 'an object in place of the token', provider: plain, gist: INVALID, requests: 1 },
    answer: json({ token: { value: TOKEN } }),
  },
  {
    ...{ name: 'breaks', what: 'a line break at the end of the token', provider: plain, gist: INVALID, requests: 1 },
    answer: json({ token: `${TOKEN}\n` }),
  },
  {
    ...{ name: 'letters', what: 'a cookie of letters that no header carries', gist: INVALID, requests: 1 },
    provider: chained({ headers: { cookie: 'sid={next}' } }),
    answer: next(`${TOKEN} – ü`),
  },
  {
    ...{ name: 'dots', what: 'an answer that leads up the path', gist: INVALID, requests: 1 },
    provider: chained({ url: '/v1/{next}/token' }),
    answer: next('..'),
  },
  {
    ...{ name: 'narrow', what: 'a scope that is narrower than asked', gist: '200 login', requests: 1 },
    provider: {
      ...plain,
      settings: { scope: { kind: 'list' } },
      logins: {
        system: [{ url: '/login', form: { key: '{key}', scope: '{scope}' }, reads: { token: body('token') } }],
      },
    },
    settings: { scope: ['orders.read', 'orders.write'] },
    answer: json({ token: 'good-token', scope: 'orders.read' }),
    says: /granted less than `scope` asks for: not `orders.write`/,
  },
];
