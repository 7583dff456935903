import { BlockList, isIP } from 'node:net';
import { isRefusedAddress } from '../http/refused-address.ts';

const metadataNames = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet('127.0.0.0', 8, 'ipv4');
loopbackAddresses.addAddress('::1', 'ipv6');

/** The fault of plain http, without the remedy. */
export const PLAIN_HTTP = 'is plain http, which is taken on loopback only';

/** Reports whether a URL is plain http to another machine than this one. */
export function isPlainHttp(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'http:' && !isLoopback(bareHost(url));
}

/**
 * Says what is wrong with `text` as the address of something the broker calls, or gives undefined where nothing is:
 * absolute http(s), no userinfo, query, fragment, dot segments or escapes, no link-local or metadata host (invariant 15).
 * Never quotes `text`, which could hold a credential.
 */
export function findOriginFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) {
    return 'must be an absolute URL such as https://api.example.com/v1';
  }
  if (url.username !== '' || url.password !== '' || authorityOf(text).includes('@')) {
    return 'must not contain a user name or password: credentials belong in the secret';
  }
  if (/[?#]/.test(text)) {
    return 'must not have a query or a fragment: remove everything from the `?` or `#` on';
  }
  if (/[\s\\%]|\/\.{1,2}(\/|$)/.test(text) || hasControlCharacter(text) || url.pathname.includes('//')) {
    return 'must be a plain URL, without spaces, backslashes, `%` escapes, `//` or `..` in its path';
  }
  const isRefused = metadataNames.has(bareHost(url)) || isRefusedAddress(bareHost(url));
  return isRefused ? 'must not point at a link-local or cloud metadata address' : undefined;
}

/** Writes a checked URL in its one canonical form: lower-case host, no default port, no slash at the end. */
export function canonicalizeUrl(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/\/+$/, '');
}

/** Reports whether `text` has a C0 control character or DEL. */
export function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}

function isLoopback(host: string): boolean {
  const version = isIP(host);
  return host === 'localhost' || (version !== 0 && loopbackAddresses.check(host, version === 4 ? 'ipv4' : 'ipv6'));
}

/** The host without the brackets of an IPv6 literal and without the dot that ends an absolute name. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function authorityOf(text: string): string {
  return text.replace(/^https?:\/\//i, '').split(/[/?#\\]/)[0] ?? '';
}
