import { foldSegment, isClosedPath } from '../core/proxy/closed-paths.ts';
import type { Connection, ProxyPolicy } from '../core/slot/connection.ts';
import { BrokerError } from '../core/words/errors.ts';

const CONTROL_CHARACTERS = /[\p{Cc}]/u;
/** A dot segment, also where a server cuts off parameters or a fragment before it looks (`..;x=1`, `..#x`). */
const DOT_SEGMENT = /^\.\s*\.?\s*(?:[;#]|$)/;
/** Nothing but dots and blanks. Windows cuts off as many as it likes. */
const DOTS = /^[. ]+(?:[;#]|$)/;
/** The delimiters of a path, also where a server makes them of letters that look like them (`／`, `∕`). */
const DELIMITERS = /[\\%?/\u2044\u2215\u2216]/;
/** The escapes of what may stand in a segment as it is, apart from what `encodeURIComponent` leaves alone. */
const NEEDLESS_ESCAPE = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

/**
 * Encodes a caller's decoded path, once, with a slash before it. Throws `invalid_request` for a path that a server
 * might decode again, or read as another.
 */
export function encodePath(path: string): string {
  const isAmbiguous = path.split('/').some(isAmbiguousSegment);
  if (isAmbiguous || CONTROL_CHARACTERS.test(path) || !path.isWellFormed()) {
    throw new BrokerError(
      'invalid_request',
      'The path may not hold dot segments, a backslash, a percent sign, an encoded question mark, what looks like one of them, or control characters.',
    );
  }
  return escapeSegments(`/${path}`);
}

function isAmbiguousSegment(segment: string): boolean {
  const folded = foldSegment(segment);
  const isOfLookAlikes = DOTS.test(folded) && !DOTS.test(segment);
  return DELIMITERS.test(folded) || DOT_SEGMENT.test(folded) || isOfLookAlikes;
}

/**
 * Throws `proxy_not_allowed` for a method or an encoded path that the connection's policy does not declare, and for a
 * login, refresh or logout, whatever the policy says.
 */
export function assertAllowed(
  policy: ProxyPolicy,
  { method, path }: { readonly method: string; readonly path: string },
  connection: Connection,
): void {
  if (isClosedPath(connection, path)) {
    throw new BrokerError(
      'proxy_not_allowed',
      `The broker alone logs in and out at the connection ${connection.name}: paths of its logins, refreshes and logout are not forwarded.`,
    );
  }
  const isUnder = (prefix: string) => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  if (policy.methods.includes(method) && policy.paths.map(escapeSegments).some(isUnder)) return;
  throw new BrokerError(
    'proxy_not_allowed',
    `The connection ${connection.name} forwards ${policy.methods.join(', ')} under ${policy.paths.join(', ')} only.`,
  );
}

/**
 * Escapes each segment once, as UTF-8, but for what RFC 3986 §3.3 has in one (`pchar`). Two paths that differ stay
 * different, as long as they hold no `%`.
 */
function escapeSegments(path: string): string {
  const escapeOne = (segment: string) =>
    encodeURIComponent(segment).replace(NEEDLESS_ESCAPE, (escaped) => decodeURIComponent(escaped));
  return path.split('/').map(escapeOne).join('/');
}
