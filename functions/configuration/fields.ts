import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { isReservedHeader } from '../http/forwarded-headers.ts';
import { findOriginFault, hasControlCharacter } from './origins.ts';

/** Form of the name of a connection or an isolation group, in a declaration and in a URL. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** `NAME_PATTERN` in words. */
export const NAME_RULE = 'lower-case letters, digits, `_` and `-`, at most 63 of them, starting with a letter or digit';

const LONGEST_SECONDS = 31_536_000;
const LONGEST_SETTING = 2_000;
const SECRET_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}$/;
const ARN_END = /[^:]-[A-Za-z0-9]{6}$/;
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const JWT_START = /^eyJ[A-Za-z0-9_-]{10}/;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** True or false. */
export const flag = z.boolean('must be true or false');

/** A text with which `findFault` finds nothing wrong; what is no text `must be` what `what` says. */
export function text(what: string, findFault: (text: string) => string | undefined) {
  return z.string(`must be ${what}`).superRefine((value, { addIssue }) => {
    const message = findFault(value);
    if (message !== undefined) addIssue({ code: 'custom', message });
  });
}

/** A text that matches `pattern`. */
function matching(pattern: RegExp, what: string) {
  return text(what, (value) => (pattern.test(value) ? undefined : `must be ${what}`));
}

/** Whole seconds from `minimum` to `maximum`, a year where that is left out. */
export function seconds(minimum: number, maximum = LONGEST_SECONDS) {
  const message = `must be a whole number of seconds from ${minimum} to ${maximum}`;
  return z
    .number(message)
    .refine((value) => Number.isInteger(value) && value >= minimum && value <= maximum, message)
    .meta({ type: 'integer', minimum, maximum });
}

/** A fraction, neither 0 nor 1. */
export const fraction = z
  .number('must be a number between 0 and 1, such as 0.75')
  .refine((value) => value > 0 && value < 1, 'must be a number between 0 and 1, neither of them included, such as 0.75')
  .meta({ exclusiveMinimum: 0, exclusiveMaximum: 1 });

/** The name of a group of connections, shaped as a connection's own. */
export const groupName = matching(NAME_PATTERN, NAME_RULE);

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[]) {
  return z.enum(words, `must be one of ${words.map((word) => `\`${word}\``).join(', ')}`);
}

const USERS = 'must be true, false, or a list of subjects, at least one';

/** The users that a connection serves: all, none, or those listed. */
export const users = z.union(
  [
    z.boolean(),
    z
      .array(
        z.custom<string>((value) => typeof value === 'string', { error: 'must be a subject, as text', abort: false }),
      )
      .min(1, USERS),
  ],
  USERS,
);

/**
 * Name or ARN of a secret. Whatever looks like a credential itself is refused, and never quoted; so is an ARN with a
 * version or stage after it, since the broker follows the current version, and one without the six characters that
 * Secrets Manager puts after the name, since its name could then not be told from it.
 */
export const secretName = text('the name or ARN of a secret in Secrets Manager', (value) => {
  if (!SECRET_NAME.test(value) && !SECRET_ARN.test(value)) {
    return 'must be the name or ARN of a secret in Secrets Manager, without version or stage, and never the credential itself. If a credential stood here, take it out and renew it';
  }
  if (SECRET_ARN.test(value) && !ARN_END.test(value)) {
    return 'is an ARN that is not complete: it must end in `-` and the six characters that Secrets Manager put after the name. `aws secretsmanager describe-secret` shows it; or give the name alone';
  }
  return UUID.test(value) || JWT_START.test(value)
    ? 'looks like a key or token. It must be the name or ARN of a secret in Secrets Manager; if a credential stood here, take it out and renew it'
    : undefined;
});

/** A path to put behind a base URL. */
const upstreamPath = text('a path such as /user/gettoken', (path) =>
  path.startsWith('/') && !/[\s?#%\\]|\/\/|\.\./.test(path) && !hasControlCharacter(path)
    ? undefined
    : 'must begin with `/` and have no `//`, `..`, `?`, `#`, `%`, `\\`, space or control character',
);

/** A path of a provider's settings; it may have a query. */
export const settingPath = text('a path such as /user/gettoken', (value) => {
  const [path = '', ...queries] = value.split('?');
  const isQuery = queries.length === 0 || (queries.length === 1 && /^[^\s#\\]*$/.test(queries[0] ?? ''));
  return path.startsWith('/') && !/[\s#%\\]|\/\/|\.\./.test(path) && isQuery && !hasControlCharacter(value)
    ? undefined
    : 'must begin with `/` and have no `//`, `..`, `#`, `\\`, space or control character, nor `%` before a `?`';
});

/** The name of a host, with a port where it has one of its own. */
export const settingHost = text('a host such as login.example.com', (host) => {
  const isHost = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?$/.test(host) && !host.includes('..');
  return isHost
    ? findOriginFault(`https://${host}`)
    : 'must be a host in lower case such as login.example.com, without `https://` and without a path';
});

/** A text of a provider's settings. */
export const settingText = text('a text', (value) =>
  value.length <= LONGEST_SETTING && !hasControlCharacter(value) && value.isWellFormed()
    ? undefined
    : `must be one line of at most ${LONGEST_SETTING} characters`,
);

/** The forms of a caller's name: an account, an organisation, and roles and users with `*` for any text. */
export const CALLER_FORMS = {
  account: /^[0-9]{12}$/,
  organisation: /^o-[a-z0-9]{10,32}$/,
  principal: /^arn:[a-z-]+:iam::[0-9*]+:(?:root|(?:role|user)\/[\w+=,.@/*?-]+)$/,
} as const;

/** Whom the API lets in. */
export const callerNames = z.array(
  text('a caller', (caller) =>
    Object.values(CALLER_FORMS).some((form) => form.test(caller))
      ? undefined
      : 'must be a role or user by ARN (`*` for any text), an account by its 12 digits or an organisation by id (o-…)',
  ),
  'must be a list of callers',
);

/** Name of an AWS region. */
export const awsRegion = matching(/^[a-z]{2}(?:-[a-z]+)+-[0-9]$/, 'an AWS region such as eu-west-1');

/** Identifier of a VPC. */
export const vpcId = matching(/^vpc-[0-9a-f]{8,17}$/, 'a VPC id such as vpc-0123abcd');

/** Identifiers of security groups. */
export const securityGroupIds = z
  .array(
    matching(/^sg-[0-9a-f]{8,17}$/, 'a security group id such as sg-0123abcd'),
    'must be a list of security group ids',
  )
  .min(1, 'must list at least one security group; leave it out for a group of its own');

/** PEM text of the certificates to trust for an upstream; never a private key. */
export const certificate = text('the PEM text of a CA certificate', (pem) => {
  if (pem.includes('PRIVATE KEY')) return 'holds a private key: give the certificate alone';
  return areCertificates(pem)
    ? undefined
    : 'must be the PEM text of a CA certificate, from `-----BEGIN CERTIFICATE-----` on; not the path of a file';
});

/** HTTP methods that a proxy forwards. */
export const proxyMethods = z
  .array(
    text('an HTTP method', (method) => {
      if (!/^[A-Z]{1,20}$/.test(method)) return 'must be an HTTP method in upper case';
      return method === 'CONNECT' || method === 'TRACE' ? 'must not be CONNECT or TRACE' : undefined;
    }),
    'must be a list of HTTP methods',
  )
  .min(1, 'must list at least one method');

/** Prefixes of the paths that a proxy forwards. */
export const proxyPaths = z
  .array(
    upstreamPath
      .refine((path) => !path.includes('*'), 'a prefix needs no `*`: it stands for all that is under it')
      .refine((path) => !/\$\{/.test(path), 'must not hold `$` and `{`, which IAM takes for a variable of the caller')
      .refine((path) => path.isWellFormed(), 'must not hold a broken character (an unpaired surrogate)'),
    'must be a list of path prefixes',
  )
  .min(1, 'must list at least one path prefix');

/** Further request headers that a proxy forwards. */
export const proxyHeaders = z.array(
  text('a header name', (header) => {
    if (!HEADER_NAME.test(header)) return 'must be a header name in lower case';
    return isReservedHeader(header)
      ? 'must not be a credential, hop-by-hop or AWS signature header: those are never forwarded'
      : undefined;
  }),
  'must be a list of request header names',
);

function areCertificates(pem: string): boolean {
  const blocks = pem.match(CERTIFICATE_BLOCK) ?? [];
  try {
    const isWhole = blocks.length > 0 && blocks.length === pem.split('-----BEGIN ').length - 1;
    return isWhole && blocks.every((block) => new X509Certificate(block) !== undefined);
  } catch {
    return false;
  }
}
