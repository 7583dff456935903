import type { JsonValue } from '../words/json.ts';

/**
 * Text with `{name}` for a value: a field of the secret, a setting, `subject`, `baseUrl`, a derived value, or what an
 * earlier answer gave. `{{` stands for a brace. A text that names an absent value is absent, and so is its member.
 */
export type Text = string;

/** JSON whose texts are `Text`. An object with the one member `number`, a text, is that number. */
export type JsonTemplate = JsonValue;

/**
 * A kind of upstream as data: how its login, token placement, lifetime and renewal work. One engine runs it, a schema
 * checks it, and an operator may write one as JSON. A mint is a chain of requests over named values; one of the
 * answers, or a derived value, gives `token`.
 */
export interface Provider {
  /** The fields of the secret's JSON, each a text. */
  readonly secretFields: Readonly<Record<string, SecretField>>;
  /** Settings of a connection beside the secret: tenant, scope, audience, paths. */
  readonly settings?: Readonly<Record<string, Setting>>;
  /** Defaults of a connection's own keys, where the provider knows better. */
  readonly defaults?: ProviderDefaults;
  /** Form of a subject other than `system`. Absent: `system` alone. */
  readonly userSubject?: UserSubject;
  /** Values computed for each mint, in this order; those that name `token` come after it. */
  readonly derived?: Readonly<Record<string, Derived>>;
  /** Requests one after the other. An empty list: `derived` gives the token, and nothing is sent. */
  readonly logins: Readonly<Partial<Record<SubjectKind, readonly Step[]>>>;
  /** Headers, query and address of an API call. */
  readonly placement: Placement;
  /** Sources of a token's end; the first that can be read counts. None: `maxTokenAgeSeconds` alone bounds it. */
  readonly lifetime?: readonly End[];
  readonly renewal?: Renewal;
  /** Rules for answers, before the general tables of OAuth errors and statuses. The first that fits decides. */
  readonly answers?: readonly Rule[];
  /** Sign of a refusal in the body of an answer. Read in upper, lower and camel case. */
  readonly refusal?: RefusalFlag;
  /** A member of the answer under which everything may lie, as well as flat (C5). */
  readonly envelope?: string;
  /** JWT claim of a user's token that must be the subject where it can be read (H10). */
  readonly ownerClaim?: string;
  /** Facts that an answer gives beside the token, by the name that callers see. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly limits?: Limits;
  /**
   * A request that a good credential passes, for a token that is a derived value and proves nothing by itself. Sent
   * with each such token before it is published, and judged as a login.
   */
  readonly probe?: Step;
  /** A request that ends one token, and no other. Sent for a token that an operator has purged. */
  readonly logout?: Step;
}

/** A provider as it travels in a connection. */
export interface ResolvedProvider extends Provider {
  readonly name: string;
}

/** The connection's own identity, or one of the upstream's users. */
export type SubjectKind = 'system' | 'user';

export interface SecretField {
  readonly optional?: true;
  /** `pem`: a private key or a certificate, whose line breaks belong to it. */
  readonly kind?: 'text' | 'pem';
  /** Forbidden text: it would change the meaning of a login, such as the separator of two fields (C4). */
  readonly without?: string;
  /** Text that servers may misread: it is sent as it is, and the operator is warned (C4). */
  readonly suspect?: string;
  /** An answer gives the next value of this field, which the broker keeps. */
  readonly rotates?: Rotation;
}

export interface Rotation {
  /** Time for which the upstream still takes the previous value; 0 if it does not say. */
  readonly graceSeconds: number;
  /** Life of a value that nobody uses. */
  readonly lapsesAfterSeconds?: number;
}

/** One configuration key. `warnings` are for the operator, by value. */
export interface Setting {
  /** `host` and `path` stand in a URL as they are; a `list` is joined; everything else is encoded. */
  readonly kind: 'text' | 'host' | 'path' | 'list' | 'enum';
  readonly optional?: true;
  readonly default?: string;
  /** Allowed values of an `enum`. */
  readonly values?: readonly string[];
  /** Separator of the members of a `list`; a space by default. */
  readonly separator?: string;
  /** Each member of a `list` is a parameter of its own where the setting is a parameter's whole text (RFC 8707 §2). */
  readonly repeated?: true;
  readonly warnings?: Readonly<Record<string, string>>;
}

export interface ProviderDefaults {
  readonly refreshAfter?: number;
  /** `refreshAfter` of a connection that can renew a token without the credential. */
  readonly refreshAfterWithRenewal?: number;
  /** A connection has the key `lifetimeSeconds` only where this is given. */
  readonly lifetimeSeconds?: number;
  /** A connection has the key `maxSessionSeconds` only where this is given. */
  readonly maxSessionSeconds?: number;
  readonly maxTokenAgeSeconds?: number;
  readonly minTtlSeconds?: number;
  readonly renewalCooldownSeconds?: number;
  readonly tokensOverlap?: boolean;
}

/** The upstream's users as subjects. A subject is always within `[A-Za-z0-9._~@-]{1,128}`; the pattern narrows that. */
export interface UserSubject {
  /** A regular expression over the whole subject. */
  readonly pattern: string;
  /** The highest number, where subjects are numbers. */
  readonly maximum?: number;
  /** The key of users under a connection's `subjects`; `users` by default. */
  readonly key?: string;
  /** Form of a subject in words, after "a" or "an": "staff PKID: a positive integer". */
  readonly words?: string;
}

/** Computation of a value. */
export type Derived =
  | { readonly text: Text }
  | { readonly base64: Text }
  | { readonly jwt: JwtTemplate }
  /** With `key` an HMAC (RFC 2104). */
  | {
      readonly digest: 'sha1' | 'sha256' | 'sha512';
      readonly of: Text;
      readonly key?: Text;
      readonly as: 'hex' | 'base64';
    }
  /** SHA-256 of the public half of a private key, or of a certificate's, as SPKI in DER. */
  | { readonly publicKeyOf: Text; readonly as: 'base64' | 'base64url' | 'hex' }
  /** SHA-256 of a certificate in DER (RFC 7515 §4.1.8). */
  | { readonly thumbprintOf: Text; readonly as: 'base64' | 'base64url' | 'hex' }
  | { readonly time: 'iso' | 'date' | 'seconds' | 'milliseconds'; readonly plusSeconds?: number }
  | { readonly random: 'uuid' | 'hex' };

/** A JWT signed here (RFC 7519); `iat` and `exp` are added. */
export interface JwtTemplate {
  /** One of `SIGNING_ALGORITHMS`, or an `enum` setting whose values are among them. */
  readonly alg: Text;
  /** A private key in PEM, or a shared secret for HS256 and its like. */
  readonly key: Text;
  /** Encoding of a shared secret; `utf8` by default. */
  readonly keyAs?: 'utf8' | 'hex' | 'base64';
  readonly header?: JsonTemplate;
  readonly claims: JsonTemplate;
  /** At most an hour. */
  readonly lifeSeconds: number;
}

export const SIGNING_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'HS256',
  'HS384',
  'HS512',
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** One request. At most one of `json`, `form` and `xml`, or `parameters` as one of them. */
export interface Step {
  /** POST by default. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A path behind the connection's base URL, or absolute. Each value is encoded as one segment. */
  readonly url: Text;
  /** Hosts that a `url` made of an answer may lead to; `*.` stands for any names before the rest. */
  readonly hosts?: readonly string[];
  readonly query?: Readonly<Record<string, Text>>;
  readonly headers?: Readonly<Record<string, Text>>;
  /** RFC 7617; with `formEncoded` the client authentication of RFC 6749 §2.3.1. */
  readonly basic?: { readonly user: Text; readonly password: Text; readonly formEncoded?: true };
  readonly json?: JsonTemplate;
  readonly form?: Readonly<Record<string, Text>>;
  readonly xml?: Text;
  /** Parameters that travel as `as` says: `json`, `form` or `query`, often by a setting (C3). */
  readonly parameters?: { readonly as: Text; readonly of: Readonly<Record<string, Text>> };
  readonly certificate?: ClientCertificate;
  /** Format of the answer; `json` by default. */
  readonly answer?: 'json' | 'xml' | 'text';
  readonly reads?: Readonly<Record<string, Source>>;
}

/** A client certificate and its key, in PEM (RFC 8705). */
export interface ClientCertificate {
  readonly cert: Text;
  readonly key: Text;
}

/** Place of a value in an answer. An empty `path` is the whole body, as where a JSON text is all that it is. */
export type Source =
  | { readonly in: 'body'; readonly path: readonly (string | number)[] }
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'cookie'; readonly name: string }
  /** Every cookie, as a `Cookie` header sends them back. */
  | { readonly in: 'cookies' }
  /** The whole body. */
  | { readonly in: 'text' };

export interface Placement {
  readonly headers?: Readonly<Record<string, Text>>;
  readonly query?: Readonly<Record<string, Text>>;
  /** Base URL of the API, if it is not that of the login. */
  readonly baseUrl?: Text;
  /** Hosts that a `baseUrl` made of an answer may lead to. */
  readonly hosts?: readonly string[];
  readonly certificate?: ClientCertificate;
}

/** Source of a token's end: a value, the `exp` of a JWT, a fixed life, or `lifetimeSeconds`. */
export type End =
  | {
      readonly value: string;
      readonly as: 'seconds' | 'minutes' | 'milliseconds' | 'date' | 'epoch-seconds' | 'epoch-milliseconds';
    }
  | { readonly jwt: string }
  | { readonly seconds: number }
  | { readonly setting: 'lifetimeSeconds' };

/**
 * Way to get the next token without logging in. `slide`: a gated call answers with it or, if `slide` reads nothing,
 * moves the end of the present one; with `everyAnswer` any gated answer does. `refresh`: requests with a value from the
 * login's answer (RFC 6749 §6).
 */
export type Renewal = { readonly slide: Step; readonly everyAnswer?: true } | { readonly refresh: readonly Step[] };

/** Meaning of an answer. All the given conditions must fit; `at` without `is`: there is such a value. */
export interface Rule {
  readonly status?: readonly number[];
  readonly at?: Source;
  readonly is?: readonly JsonValue[];
  /** The rule is for logins of this kind of subject. */
  readonly of?: SubjectKind;
  readonly means: Meaning;
  /** Place of the reason in the answer. */
  readonly message?: Source;
  /** For the operator: what this answer means with this upstream (H20). */
  readonly hint?: string;
}

/**
 * `ok`: success; a provider with such a rule has no other success. `credential`: refused for good. `subject`: refused
 * for this subject. `misconfigured`: the request is wrong, not the credential. `unusable`: no answer to rely on.
 */
export type Meaning =
  | 'ok'
  | 'credential'
  | 'subject'
  | 'locked'
  | 'throttled'
  | 'session_limit'
  | 'misconfigured'
  | 'unavailable'
  | 'unusable';

/** `flag` is false, and `message` says why. */
export interface RefusalFlag {
  readonly flag: string;
  readonly message: string;
}

/**
 * One attribute: a member of the answer if it is of that type, else null. With `names` it is the name of a number,
 * and `unknown` for any number that has none (C7).
 */
export type Attribute =
  | { readonly member: string; readonly type: 'number' | 'string' }
  | { readonly member: string; readonly names: Readonly<Record<number, string>> };

export interface Limits {
  /** Most tokens in a number of seconds, over the whole connection. */
  readonly tokens?: { readonly count: number; readonly perSeconds: number };
  /** A new token ends the old one, which callers may hold, so no token is renewed ahead. */
  readonly single?: true;
  /** The upstream issues the same token again until it ends: the next is asked for right after that. */
  readonly reissues?: true;
}
