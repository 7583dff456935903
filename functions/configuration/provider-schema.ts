import * as z from 'zod';
import { type Provider, SIGNING_ALGORITHMS } from '../core/slot/provider.ts';
import { flag, fraction, oneOf, seconds } from './fields.ts';
import { strictObject } from './shape.ts';

const text = z.string('must be a text');
const wholeText = text.min(1, 'must not be empty');
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const json = z.json('must be JSON');
const truth = z.literal(true, 'must be true, or left out');

const name = z
  .string()
  .regex(NAME, 'must be a name: letters, digits and `_`, at most 64 of them, not beginning with a digit');
const headerName = z.string().regex(HEADER_NAME, 'must be the name of a header');

/** An object whose members all have names of one shape and values of one kind. */
function membersOf<Value extends z.ZodType>(key: z.ZodType<string>, value: Value, what: string) {
  return z.record(key, value, {
    error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : `must be an object: ${what}`),
  });
}

const texts = membersOf(wholeText, text, 'texts by name');
const headers = membersOf(headerName, text, 'texts by the name of a header');

const secretField = strictObject(
  {
    /** May be left out of the secret. */
    optional: truth.exactOptional(),
    /** `pem`: a private key or a certificate. */
    kind: oneOf(['text', 'pem']).exactOptional(),
    /** A text that the field must not hold, such as the separator of two fields. */
    without: wholeText.exactOptional(),
    /** A text that servers may misread: the operator is warned. */
    suspect: wholeText.exactOptional(),
    /** An answer gives the next value of this field, which the broker keeps. */
    rotates: strictObject(
      {
        /** Seconds in which the upstream still takes the value of before. */
        graceSeconds: seconds(0),
        /** Seconds after which an unused value lapses. */
        lapsesAfterSeconds: seconds(3600).exactOptional(),
      },
      '`rotates`',
    ).exactOptional(),
  },
  'a field of the secret',
);

const setting = strictObject(
  {
    /** `host` and `path` stand in a URL as they are, a `list` is joined, everything else is encoded. */
    kind: oneOf(['text', 'host', 'path', 'list', 'enum']),
    optional: truth.exactOptional(),
    default: text.exactOptional(),
    /** Of an `enum`. */
    values: z.array(wholeText, 'must be a list of texts').min(1, 'must list at least one').exactOptional(),
    /** Between the members of a `list`; a space where left out. */
    separator: wholeText.exactOptional(),
    /** What to tell the operator, by value. */
    warnings: texts.exactOptional(),
  },
  'a setting',
);

const defaults = strictObject(
  {
    refreshAfter: fraction.exactOptional(),
    refreshAfterWithRenewal: fraction.exactOptional(),
    lifetimeSeconds: seconds(1).exactOptional(),
    maxSessionSeconds: seconds(1).exactOptional(),
    maxTokenAgeSeconds: seconds(1).exactOptional(),
    minTtlSeconds: seconds(0).exactOptional(),
    renewalCooldownSeconds: seconds(0).exactOptional(),
    tokensOverlap: flag.exactOptional(),
  },
  '`defaults`',
);

const userSubject = strictObject(
  {
    /** A regular expression over the whole subject. */
    pattern: wholeText,
    /** The highest number, where subjects are numbers. */
    maximum: seconds(1, Number.MAX_SAFE_INTEGER).exactOptional(),
    /** The key of users under a connection's `subjects`; `users` where left out. */
    key: name.exactOptional(),
    /** How a subject is written, after "a". */
    words: wholeText.exactOptional(),
  },
  '`userSubject`',
);

const jwt = strictObject(
  {
    alg: oneOf(SIGNING_ALGORITHMS),
    /** A private key in PEM, or a shared secret for HS256 and its like. */
    key: wholeText,
    keyAs: oneOf(['utf8', 'hex', 'base64']).exactOptional(),
    header: json.exactOptional(),
    claims: json,
    lifeSeconds: seconds(1, 3600),
  },
  'a JWT',
);

const digestForm = oneOf(['hex', 'base64']);
const printForm = oneOf(['hex', 'base64', 'base64url']);
const derived = z.union(
  [
    strictObject({ text: wholeText }, 'a derived value'),
    strictObject({ base64: wholeText }, 'a derived value'),
    strictObject({ jwt }, 'a derived value'),
    strictObject(
      { digest: oneOf(['sha1', 'sha256', 'sha512']), of: wholeText, key: wholeText.exactOptional(), as: digestForm },
      'a derived value',
    ),
    strictObject({ publicKeyOf: wholeText, as: printForm }, 'a derived value'),
    strictObject({ thumbprintOf: wholeText, as: printForm }, 'a derived value'),
    strictObject(
      { time: oneOf(['iso', 'date', 'seconds', 'milliseconds']), plusSeconds: z.int().exactOptional() },
      'a derived value',
    ),
    strictObject({ random: oneOf(['uuid', 'hex']) }, 'a derived value'),
  ],
  'must be a derived value: one of `text`, `base64`, `jwt`, `digest`, `publicKeyOf`, `thumbprintOf`, `time`, `random`, with the members of that one',
);

const source = z.union(
  [
    strictObject(
      { in: z.literal('body'), path: z.array(z.union([wholeText, z.int()]), 'must be a list of members').min(1) },
      'a source',
    ),
    strictObject({ in: z.literal('header'), name: headerName }, 'a source'),
    strictObject({ in: z.literal('cookie'), name: wholeText }, 'a source'),
    strictObject({ in: z.enum(['cookies', 'text']) }, 'a source'),
  ],
  'must say where the answer has it: { "in": "body", "path": ["a", "b"] }, or `in` as "header" or "cookie" with `name`, or "cookies" or "text"',
);

const certificate = strictObject({ cert: wholeText, key: wholeText }, '`certificate`');
const hosts = z.array(wholeText, 'must be a list of hosts').min(1, 'must list at least one host');

const step = strictObject(
  {
    /** POST where left out. */
    method: oneOf(['GET', 'POST', 'PUT', 'DELETE']).exactOptional(),
    /** A path behind the connection's base URL, or an https URL. */
    url: wholeText,
    /** Hosts that a `url` made of an answer may lead to. */
    hosts: hosts.exactOptional(),
    query: texts.exactOptional(),
    headers: headers.exactOptional(),
    basic: strictObject(
      { user: wholeText, password: text, formEncoded: truth.exactOptional() },
      '`basic`',
    ).exactOptional(),
    json: json.exactOptional(),
    form: texts.exactOptional(),
    xml: wholeText.exactOptional(),
    parameters: strictObject({ as: wholeText, of: texts }, '`parameters`').exactOptional(),
    certificate: certificate.exactOptional(),
    /** How the answer is written; `json` where left out. */
    answer: oneOf(['json', 'xml', 'text']).exactOptional(),
    reads: membersOf(name, source, 'sources by the name of the value').exactOptional(),
  },
  'a step',
);
const steps = z.array(step, 'must be a list of steps');

const end = z.union(
  [
    strictObject(
      {
        value: name,
        as: oneOf(['seconds', 'minutes', 'milliseconds', 'date', 'epoch-seconds', 'epoch-milliseconds']),
      },
      'an end',
    ),
    strictObject({ jwt: name }, 'an end'),
    strictObject({ seconds: seconds(1) }, 'an end'),
    strictObject({ setting: z.literal('lifetimeSeconds') }, 'an end'),
  ],
  'must be an end: { "value": name, "as": unit }, { "jwt": name }, { "seconds": number } or { "setting": "lifetimeSeconds" }',
);

const meanings = [
  'ok',
  'credential',
  'subject',
  'locked',
  'throttled',
  'session_limit',
  'misconfigured',
  'unavailable',
  'unusable',
];
const answer = strictObject(
  {
    status: z.array(z.int().min(100).max(599), 'must be a list of statuses').min(1).exactOptional(),
    at: source.exactOptional(),
    is: z.array(json, 'must be a list of values').min(1).exactOptional(),
    of: oneOf(['system', 'user']).exactOptional(),
    means: oneOf(meanings),
    message: source.exactOptional(),
    hint: wholeText.exactOptional(),
  },
  'a rule of `answers`',
);

const attribute = z.union(
  [
    strictObject({ member: wholeText, type: oneOf(['number', 'string']) }, 'an attribute'),
    strictObject({ member: wholeText, names: membersOf(z.string(), wholeText, 'names by number') }, 'an attribute'),
  ],
  'must be an attribute: `member` with `type` or `names`',
);

/** A provider, as an operator declares one. Each key by itself: `checkProvider` has the rules across them. */
export const providerSchema = strictObject(
  {
    /** The fields of the secret's JSON. */
    secretFields: membersOf(name, secretField, 'the fields of the secret by name'),
    /** What a connection says beside the secret: tenant, scope, audience, paths. */
    settings: membersOf(name, setting, 'settings by name').exactOptional(),
    defaults: defaults.exactOptional(),
    /** How a subject other than `system` is written. */
    userSubject: userSubject.exactOptional(),
    /** Values computed for each mint, in this order. */
    derived: membersOf(name, derived, 'derived values by name').exactOptional(),
    /** Requests one after the other; one of the answers gives `token`. */
    logins: strictObject({ system: steps.exactOptional(), user: steps.exactOptional() }, '`logins`'),
    /** What an API call must carry, and where it goes. */
    placement: strictObject(
      {
        headers: headers.exactOptional(),
        query: texts.exactOptional(),
        baseUrl: wholeText.exactOptional(),
        hosts: hosts.exactOptional(),
        certificate: certificate.exactOptional(),
      },
      '`placement`',
    ),
    /** Where a token's end is to be found: the first that can be read. */
    lifetime: z.array(end, 'must be a list of ends').exactOptional(),
    /** How to get the next token without logging in. */
    renewal: z
      .union(
        [
          strictObject({ slide: step, everyAnswer: truth.exactOptional() }, '`renewal`'),
          strictObject({ refresh: steps }, '`renewal`'),
        ],
        'must be a renewal: `slide` with a step, or `refresh` with steps',
      )
      .exactOptional(),
    /** What answers mean. The first rule that fits decides. */
    answers: z.array(answer, 'must be a list of rules').exactOptional(),
    refusal: strictObject({ flag: wholeText, message: wholeText }, '`refusal`').exactOptional(),
    envelope: wholeText.exactOptional(),
    ownerClaim: wholeText.exactOptional(),
    attributes: membersOf(name, attribute, 'attributes by name').exactOptional(),
    limits: strictObject(
      {
        tokens: strictObject({ count: seconds(1), perSeconds: seconds(1) }, '`tokens`').exactOptional(),
        single: truth.exactOptional(),
        reissues: truth.exactOptional(),
      },
      '`limits`',
    ).exactOptional(),
    probe: step.exactOptional(),
    logout: step.exactOptional(),
  },
  'a provider',
);

/** A provider that has passed the schema. The compiler is told that the two say the same. */
export type DeclaredProvider = z.output<typeof providerSchema>;
export type SchemaSaysProvider = Provider extends DeclaredProvider
  ? DeclaredProvider extends Provider
    ? true
    : never
  : never;
