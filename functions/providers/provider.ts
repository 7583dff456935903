import type { TokenPlacement } from '../core/slot/connection.ts';

/**
 * A kind of upstream as data: how its login, token placement, lifetime and renewal work. The one engine in
 * `engine.ts` runs it, the configuration schema reads from it which keys a connection may have, and with which
 * defaults.
 */
export interface Provider {
  /** The fields of the secret's JSON, each a text, and what must not be in it. */
  readonly secretFields: Readonly<Record<string, SecretField>>;
  /** The provider's own configuration keys; a connection carries their values in `settings`. */
  readonly settings: Readonly<Record<string, Setting>>;
  readonly defaults: ProviderDefaults;
  /** One login for each kind of subject that the provider serves. */
  readonly logins: Readonly<Partial<Record<SubjectKind, Login>>>;
  readonly tokenAt: TokenSource;
  /** A member of the answer under which everything may lie, as well as flat (C5). */
  readonly envelope?: string;
  readonly refusal?: Refusal;
  /** How a token travels to the upstream. */
  readonly placement: TokenPlacement;
  readonly lifetime: Lifetime;
  readonly slide?: Slide;
  /** What a login's answer says beside the token, by the name that callers see. Absent: nothing. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** The connection's own identity, or one member of the upstream's staff. */
export type SubjectKind = 'system' | 'staff';

export interface SecretField {
  /** A text that would change the meaning of a login and is refused, such as the separator of two fields (C4). */
  readonly without?: string;
  /** A text that is sent as it is and that servers may misread: the operator is warned (C4). */
  readonly suspect?: string;
}

/** One configuration key. A path without default may be left out; `warnings` are for the operator, by value. */
export type Setting =
  | { readonly kind: 'path'; readonly default?: string }
  | {
      readonly kind: 'enum';
      readonly values: readonly string[];
      readonly default: string;
      readonly warnings?: Readonly<Record<string, string>>;
    };

/** Defaults of configuration keys. A connection has `lifetimeSeconds` or `maxSessionSeconds` only where one is here. */
export interface ProviderDefaults {
  readonly refreshAfter?: number;
  /** `refreshAfter` of a connection that can slide. */
  readonly refreshAfterWithSlide?: number;
  readonly lifetimeSeconds?: number;
  readonly maxSessionSeconds?: number;
}

/** One login request. What its status says of the credential and of the subject is here too. */
export interface Login {
  readonly method: 'GET' | 'POST';
  /** Fixed, or the value of a setting; put behind the connection's base URL. */
  readonly path: string | FromSetting;
  /** What is sent, and how; at most one part of them is a body. */
  readonly credential: readonly CredentialPart[];
  /** Statuses that refuse the credential for good: 400, 401 and 403 where left out. */
  readonly refusesCredential?: readonly number[];
  /** Statuses that refuse this subject alone; with them, a readable answer without a token does too (H10). */
  readonly refusesSubject?: readonly number[];
  /** What a status means with this upstream, for the operator to read (H20). */
  readonly hints?: Readonly<Record<number, string>>;
  /** JWT claim that must be the subject where it can be read (H10). */
  readonly ownerClaim?: string;
}

/** The value of one of the connection's settings. */
export interface FromSetting {
  readonly setting: string;
}

/**
 * Text with `{name}` for a field of the secret or for `{subject}`; filled in first and then encoded once, as UTF-8.
 * With `number` it becomes a JSON number.
 */
export type Template = string | { readonly number: string };

/** How fields travel. By header, the names of the fields are the names of the headers. */
export type Encoding = 'json' | 'form' | 'query' | 'header';

export type CredentialPart =
  | { readonly as: Encoding | FromSetting; readonly fields: Readonly<Record<string, Template>> }
  /** RFC 7617: the secret field in `user` should be declared `without: ':'`. */
  | { readonly as: 'basic'; readonly user: string; readonly password: string };

/** Where an answer has its token: under a path in a JSON body, as the whole body, or in a header. */
export type TokenSource =
  | { readonly in: 'body'; readonly path: readonly string[] }
  | { readonly in: 'text' }
  | { readonly in: 'header'; readonly name: string };

/** A token in a JSON body, under the members named, outermost first. */
export function body(...path: readonly string[]) {
  return { in: 'body', path } as const;
}

/** A token in a response header; the name matches in any case (C14). */
export function header(name: string) {
  return { in: 'header', name } as const;
}

/** How an answer says no in its body: `flag` is false, and `message` says why. */
export interface Refusal {
  readonly flag: string;
  readonly message: string;
}

/**
 * Where a token's end is to be found: its own `exp` claim, seconds in the login's JSON body, the connection's
 * `lifetimeSeconds`, or nowhere: then `maxTokenAgeSeconds` alone bounds it. A slide has no body to read seconds from.
 */
export type Lifetime =
  | { readonly from: 'jwt' }
  | { readonly from: 'body'; readonly path: readonly string[] }
  | { readonly from: 'setting' }
  | { readonly from: 'none' };

/** Renewal by a gated GET: the new token comes in a header. A connection that leaves the path out cannot slide. */
export interface Slide {
  readonly pathSetting: string;
  readonly tokenAt: { readonly in: 'header'; readonly name: string };
}

/**
 * One attribute: a member of the answer if it is of that type, else null. With `names` it is the name of a number,
 * and `unknown` for any number that has none (C7).
 */
export type Attribute =
  | { readonly member: string; readonly type: 'number' | 'string' }
  | { readonly member: string; readonly names: Readonly<Record<number, string>> };

/** Which kinds of subject a provider serves. */
export function kindsServedBy(provider: Provider): Readonly<Record<SubjectKind, boolean>> {
  return { system: provider.logins.system !== undefined, staff: provider.logins.staff !== undefined };
}

/** Names of the fields that a connection's secret must have. */
export function secretFieldsOf(provider: Provider): readonly string[] {
  return Object.keys(provider.secretFields);
}

/** The path to slide with, or undefined where provider or settings have none. */
export function slidePathOf(provider: Provider, settings: Readonly<Record<string, string>>): string | undefined {
  return provider.slide === undefined ? undefined : settings[provider.slide.pathSetting];
}

/** The provider's own default of `refreshAfter` for a connection with these settings, or undefined. */
export function defaultRefreshAfter(
  provider: Provider,
  settings: Readonly<Record<string, string>>,
): number | undefined {
  const { refreshAfter, refreshAfterWithSlide = refreshAfter } = provider.defaults;
  return slidePathOf(provider, settings) === undefined ? refreshAfter : refreshAfterWithSlide;
}
