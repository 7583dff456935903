import * as z from 'zod';
import type { JsonValue } from '../../functions/core/words/json.ts';

/**
 * Names in a need's texts: `{s:field}` of the secret, `{c:setting}`, `{n:2:member}` of the second answer, `{d:computed}`,
 * the token as `{t}` or `{cookies}`. Any other brace is text.
 */
export const NAMED = /\{(?:([scnd]):([^{}]+)|t|cookies)\}/g;

const json: z.ZodType<JsonValue> = z.json();
const texts = z.record(z.string(), z.string()).default({});
const no = z.boolean().default(false);
const path = z.array(z.string());

const step = z.object({
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  url: z.string(),
  headers: texts,
  query: texts,
  /** Names of values that may be absent. */
  optional: z.array(z.string()).default([]),
  body: z.object({ as: z.enum(['form', 'json', 'xml']), tree: z.record(z.string(), json) }).optional(),
  basic: z.tuple([z.string(), z.string()]).optional(),
  formEncodedBasic: no,
  mtls: no,
});

const need = z.object({
  set: z.string(),
  name: z.string(),
  steps: z.array(step),
  /** `self`: made here, and nothing is sent. */
  token: z.discriminatedUnion('in', [
    z.object({ in: z.literal('body'), path }),
    z.object({ in: z.literal('header'), name: z.string() }),
    z.object({ in: z.literal('text') }),
    z.object({ in: z.literal('cookies') }),
    z.object({ in: z.literal('self') }),
  ]),
  expiry: z.discriminatedUnion('how', [
    /** A number of seconds, a number of milliseconds, or a date. */
    z.object({ how: z.enum(['in', 'in-ms', 'at']), path }),
    z.object({ how: z.literal('fixed'), seconds: z.number() }),
    z.object({ how: z.enum(['jwt', 'none']) }),
  ]),
  refresh: no,
  /** The token itself gets the next one. */
  refreshIsToken: no,
  use: z.object({ headers: texts, query: texts, base: z.string() }),
  /** The base URL of the login. Empty if nothing is sent. */
  loginBase: z.string().default(''),
  baseFromAnswer: no,
  /** The API's address comes with one more request, after the login. */
  whoami: no,
  /** The recipes of computed values. */
  computed: texts,
  perRequestSignature: no,
});

/** The facts about an API: what its login must send, what is read, and what an API call carries. */
export type Need = z.output<typeof need>;
export type NeededStep = Need['steps'][number];

/** Reads a file of needs; throws where it is none. */
export function parseNeeds(text: string): readonly Need[] {
  return z.array(need).parse(JSON.parse(text));
}

// Facts do not say everything. The translation and the fake upstream both hold to the following.

/** The parent domain of all hosts that answers name. */
export const ANSWERED_HOST = 'answered.example';
/** The member of an answer, beside the token, that gets the next one (RFC 6749 §5.1). */
export const REFRESH_MEMBER = 'refresh_token';
/** The request for the API's address, behind `loginBase`. */
export const WHOAMI_PATH = '/whoami';
/** Lives of tokens whose end nothing says, and the longest of JWTs that are no tokens. */
export const UNSAID_SECONDS = 3600;
/** Fields of the secret that go into computed values. A JWT has the base URL as its audience, and `keyId` as `kid`. */
export const FIELDS = {
  issuer: 'issuer',
  keyId: 'keyId',
  privateKey: 'privateKey',
  sharedKey: 'sharedKey',
  user: 'wsseUser',
  password: 'wssePassword',
  certificate: 'certificate',
  certificateKey: 'certificateKey',
} as const;

/** The connection's base URL: no slash is at its end. */
export function homeOf({ loginBase, use }: Need): string {
  return (loginBase === '' ? use.base : loginBase).replace(/\/$/, '');
}

/** The API's address in an answer: its name, and which answer: the last where no request names it. */
export function addressOf({ baseFromAnswer, use, steps, whoami }: Need) {
  const [, name] = baseFromAnswer ? (/^\{c:(\w+)\}/.exec(use.base) ?? []) : [];
  if (name === undefined) return undefined;
  const [, step] = new RegExp(`\\{n:(\\d+):${name}\\}`).exec(JSON.stringify(steps)) ?? [];
  return { name, step: Number(step ?? steps.length + Number(whoami)) };
}

/** The computed value that is the token itself. */
export function madeTokenOf({ token, computed }: Need): string | undefined {
  return Object.keys(computed).find((name) => token.in === 'self' && /^(?:jwt|WSSE) /.test(computed[name] ?? ''));
}

/** Reports whether a setting is a host or a part of one. */
export function isInHost(need: Need, setting: string): boolean {
  return urlsOf(need).some((url) => new RegExp(`^https://[^/]*\\{c:${setting}\\}`).test(url));
}

/** The values that may be absent. One in a URL never is: it has a default. */
export function optionalNames(need: Need): readonly string[] {
  const names = need.steps.flatMap(({ optional }) => optional);
  return names.filter((name) => !urlsOf(need).some((url) => url.includes(`:${name}}`)));
}

function urlsOf({ steps, use, loginBase }: Need): readonly string[] {
  return [...steps.map(({ url }) => url), use.base, loginBase];
}
