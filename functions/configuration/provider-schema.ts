import * as z from 'zod';
import { flag, fraction, oneOf, seconds } from './fields.ts';
import { strictObject } from './shape.ts';

const text = z.string('must be a text');
const wholeText = text.min(1, 'must not be empty');
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const json = z.json('must be JSON');
const COUNT_RULE = 'must be a whole number, 1 or more';
const count = z.int(COUNT_RULE).min(1, COUNT_RULE);
const truth = z.literal(true, 'must be true, or left out');

const name = z
  .string()
  .regex(NAME, 'must be a name: letters, digits and `_`, at most 64 of them, not beginning with a digit')
  .refine((each) => !(each in {}), 'must not be the name of something that every object has: choose another');
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
    /** True where the secret may leave the field out. Default false. */
    optional: truth.exactOptional(),
    /** Kind of value; `pem` is a private key or a certificate. Default `text`. */
    kind: oneOf(['text', 'pem']).exactOptional(),
    /** Text that the field must not contain, such as the separator of two fields. */
    without: wholeText.exactOptional(),
    /** Text that servers may misread. The operator is warned of it. */
    suspect: wholeText.exactOptional(),
    /** Set where an answer gives the field's next value, which the broker keeps. */
    rotates: strictObject(
      {
        /** Seconds for which the upstream still accepts the previous value. */
        graceSeconds: seconds(0),
        /** Seconds after which an unused value expires. */
        lapsesAfterSeconds: seconds(3600).exactOptional(),
      },
      '`rotates`',
    ).exactOptional(),
  },
  'a field of the secret',
);

const setting = strictObject(
  {
    /** Kind of value. A `host` or `path` is put into a URL as it is, a `list` is joined, all others are encoded. */
    kind: oneOf(['text', 'host', 'path', 'list', 'enum']),
    optional: truth.exactOptional(),
    default: text.exactOptional(),
    /** Allowed values of an `enum`. */
    values: z.array(wholeText, 'must be a list of texts').min(1, 'must list at least one').exactOptional(),
    /** Separator between the members of a `list`. Default a space. */
    separator: wholeText.exactOptional(),
    /** True where each member of a `list` is sent as a parameter of its own. */
    repeated: truth.exactOptional(),
    /** Warnings to the operator, by value of the setting. */
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
    /** Regular expression for the whole subject. */
    pattern: wholeText,
    /** Highest subject, where subjects are numbers. */
    maximum: count.exactOptional(),
    /** Key for users under a connection's `subjects`. Default `users`. */
    key: name.exactOptional(),
    /** Form of a subject in words, to follow "a". */
    words: wholeText.exactOptional(),
  },
  '`userSubject`',
);

const jwt = strictObject(
  {
    /** Signing algorithm, such as RS256, or an `enum` setting of such. */
    alg: wholeText,
    /** Private key in PEM, or the shared secret for HS256 and its like. */
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
      { in: z.literal('body'), path: z.array(z.union([wholeText, z.int()]), 'must be a list of members') },
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
    /** HTTP method. Default POST. */
    method: oneOf(['GET', 'POST', 'PUT', 'DELETE']).exactOptional(),
    /** Path behind the connection's base URL, or an https URL. */
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
    /** Format of the answer. Default `json`. */
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
] as const;
const STATUS_RULE = 'must be a status from 100 to 599';
const statusCode = z.int(STATUS_RULE).min(100, STATUS_RULE).max(599, STATUS_RULE);
const answer = strictObject(
  {
    status: z.array(statusCode, 'must be a list of statuses').min(1, 'must list at least one').exactOptional(),
    at: source.exactOptional(),
    is: z.array(json, 'must be a list of values').min(1, 'must list at least one').exactOptional(),
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
    /** Fields of the secret's JSON. */
    secretFields: membersOf(name, secretField, 'the fields of the secret by name'),
    /** Settings of a connection beside the secret: tenant, scope, audience, paths. */
    settings: membersOf(name, setting, 'settings by name').exactOptional(),
    defaults: defaults.exactOptional(),
    /** Form of subjects other than `system`. */
    userSubject: userSubject.exactOptional(),
    /** Values computed for each mint, in this order. */
    derived: membersOf(name, derived, 'derived values by name').exactOptional(),
    /** Requests one after the other; one of the answers gives `token`. */
    logins: strictObject({ system: steps.exactOptional(), user: steps.exactOptional() }, '`logins`'),
    /** Headers, query and certificate of an API call, and the API's address. */
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
    /** Sources of a token's end. The first that can be read counts. */
    lifetime: z.array(end, 'must be a list of ends').exactOptional(),
    /** Request that gets the next token without a login. */
    renewal: z
      .union(
        [
          strictObject({ slide: step, everyAnswer: truth.exactOptional() }, '`renewal`'),
          strictObject({ refresh: steps }, '`renewal`'),
        ],
        'must be a renewal: `slide` with a step, or `refresh` with steps',
      )
      .exactOptional(),
    /** Rules for the meaning of answers. The first that fits decides. */
    answers: z.array(answer, 'must be a list of rules').exactOptional(),
    refusal: strictObject({ flag: wholeText, message: wholeText }, '`refusal`').exactOptional(),
    envelope: wholeText.exactOptional(),
    ownerClaim: wholeText.exactOptional(),
    attributes: membersOf(name, attribute, 'attributes by name').exactOptional(),
    limits: strictObject(
      {
        tokens: strictObject({ count, perSeconds: seconds(1) }, '`tokens`').exactOptional(),
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

/** A provider that has passed the schema. A test has the compiler say that it is the type `Provider`. */
export type DeclaredProvider = z.output<typeof providerSchema>;
