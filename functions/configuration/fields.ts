import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { isReservedHeader } from '../http/forwarded-headers.ts';
import { hasControlCharacter } from './origins.ts';
import { strictObject } from './shape.ts';

/** What a connection, an isolation group and the part of a URL that names them look like. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const LONGEST_SECONDS = 31_536_000;
const SECRET_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}$/;
const ARN_END = /[^:]-[A-Za-z0-9]{6}$/;
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const JWT_START = /^eyJ[A-Za-z0-9_-]{10}/;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** True or false. */
export const flag = z.boolean('must be true or false');

/** Whole seconds from `minimum` to `maximum`, a year where that is left out. */
export function seconds(minimum: number, maximum = LONGEST_SECONDS) {
  const message = `must be a whole number of seconds from ${minimum} to ${maximum}`;
  return z.number(message).refine((value) => Number.isInteger(value) && value >= minimum && value <= maximum, message);
}

/** A fraction, neither 0 nor 1. */
export const fraction = z
  .number('must be a number between 0 and 1, such as 0.75')
  .refine(
    (value) => value > 0 && value < 1,
    'must be a number between 0 and 1, neither of them included, such as 0.75',
  );

/** The name of a group of connections, shaped as a connection's own. */
export const groupName = z
  .string('must be a name')
  .regex(
    NAME_PATTERN,
    `must be lower-case letters, digits, \`_\` and \`-\`, at most 63 of them, starting with a letter or digit`,
  );

/**
 * Name or ARN of a secret. Whatever looks like a credential itself is refused, and never quoted; so is an ARN with a
 * version or stage after it, since the broker follows the current version, and one without the six characters that
 * Secrets Manager puts after the name, since its name could then not be told from it.
 */
export const secretName = z
  .string('must be the name or ARN of a secret in Secrets Manager')
  .refine((text) => SECRET_NAME.test(text) || SECRET_ARN.test(text), {
    error:
      'must be the name or ARN of a secret in Secrets Manager, without version or stage, and never the credential itself. If a credential stood here, take it out and renew it',
    abort: true,
  })
  .refine((text) => !SECRET_ARN.test(text) || ARN_END.test(text), {
    error:
      'is an ARN that is not complete: it must end in `-` and the six characters that Secrets Manager put after the name. `aws secretsmanager describe-secret` shows it; or give the name alone',
    abort: true,
  })
  .refine(
    (text) => !UUID.test(text) && !JWT_START.test(text),
    'looks like a key or token. It must be the name or ARN of a secret in Secrets Manager; if a credential stood here, take it out and renew it',
  );

/** A path to put behind a base URL. */
export const upstreamPath = z
  .string('must be a path such as /user/gettoken')
  .refine(
    (path) => path.startsWith('/') && isPlainPath(path),
    'must begin with `/` and have no `//`, `..`, `?`, `#`, `%`, `\\`, space or control character',
  );

/** One of a few words. */
export function oneOf(words: readonly string[]) {
  const message = `must be one of ${words.map((word) => `\`${word}\``).join(', ')}`;
  return z.string(message).refine((word) => words.includes(word), message);
}

/** Identifier of a VPC. */
export const vpcId = z
  .string('must be a VPC id such as vpc-0123abcd')
  .regex(/^vpc-[0-9a-f]{8,17}$/, 'must be a VPC id such as vpc-0123abcd');

/** Identifiers of security groups. */
export const securityGroupIds = z
  .array(
    z
      .string('must be a security group id such as sg-0123abcd')
      .regex(/^sg-[0-9a-f]{8,17}$/, 'must be a security group id such as sg-0123abcd'),
    'must be a list of security group ids',
  )
  .min(1, 'must list at least one security group; leave it out for a group of its own');

/** PEM text of the certificates to trust for an upstream; never a private key. */
export const certificate = z
  .string('must be the PEM text of a CA certificate')
  .refine((pem) => !pem.includes('PRIVATE KEY'), {
    error: 'holds a private key: give the certificate alone',
    abort: true,
  })
  .refine(
    areCertificates,
    'must be the PEM text of a CA certificate, from `-----BEGIN CERTIFICATE-----` on; not the path of a file',
  );

const proxyMethod = z
  .string('must be an HTTP method')
  .regex(/^[A-Z]{1,20}$/, 'must be an HTTP method in upper case')
  .refine((method) => method !== 'CONNECT' && method !== 'TRACE', 'must not be CONNECT or TRACE');

const proxyHeader = z
  .string('must be a header name')
  .regex(TOKEN, 'must be a header name in lower case')
  .refine(
    (header) => !isReservedHeader(header),
    'must not be a credential, hop-by-hop or AWS signature header: those are never forwarded',
  );

/** What may pass through the proxy, each key with its default. */
export const proxyPolicy = strictObject(
  {
    methods: z
      .array(proxyMethod, 'must be a list of HTTP methods')
      .min(1, 'must list at least one method')
      .default(['GET', 'HEAD']),
    paths: z
      .array(
        upstreamPath
          .refine((path) => !path.includes('*'), 'a prefix needs no `*`: it stands for all that is under it')
          .refine((path) => path.isWellFormed(), 'must be whole characters'),
        'must be a list of path prefixes',
      )
      .min(1, 'must list at least one path prefix')
      .default(['/']),
    headers: z.array(proxyHeader, 'must be a list of request header names').default([]),
    timeoutSeconds: seconds(1, 12).default(8),
  },
  '`proxy`',
);

/** Reports whether a path is made of ordinary segments alone. */
export function isPlainPath(path: string): boolean {
  return !/[\s?#%\\]|\/\/|\.\./.test(path) && !hasControlCharacter(path);
}

function areCertificates(pem: string): boolean {
  const blocks = pem.match(CERTIFICATE_BLOCK) ?? [];
  try {
    const isWhole = blocks.length > 0 && blocks.length === pem.split('-----BEGIN ').length - 1;
    return isWhole && blocks.every((block) => new X509Certificate(block) !== undefined);
  } catch {
    return false;
  }
}
