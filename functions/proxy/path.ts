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
/** An escaped slash. Some servers read it as a slash, for others it is part of a name. */
const ESCAPED_SLASH = /%2f/gi;
/** The characters of a path that is sent: what is not among them was decoded on the way. */
const SENDABLE = /^[!"$->@-~]*$/;
/** The escapes of what may stand in a segment as it is, apart from what `encodeURIComponent` leaves alone. */
const NEEDLESS_ESCAPE = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

/**
 * Checks a caller's path and gives it back as it was sent, with a slash before it; what no URL may hold (`"`, `^`, `{`)
 * is escaped. Throws `invalid_request` for a path that a server might decode again, or read as another.
 */
export function checkPath(sent: string): string {
  const decoded = decodePath(sent);
  // Whoever reads `%2F` as a slash sees these segments; whoever does not sees some of them joined.
  const isAmbiguous = decoded?.split('/').some(isAmbiguousSegment);
  if (decoded === undefined || isAmbiguous || CONTROL_CHARACTERS.test(decoded) || !SENDABLE.test(sent)) {
    throw new BrokerError(
      'invalid_request',
      'The path must be percent-encoded UTF-8, and may not hold dot segments, a backslash, a percent sign, a question mark, what looks like one of them, or control characters.',
    );
  }
  return `/${sent.replace(/["<>^`{|}[\]]/g, encodeURIComponent)}`;
}

function decodePath(sent: string): string | undefined {
  try {
    return decodeURIComponent(sent);
  } catch {
    return undefined;
  }
}

function isAmbiguousSegment(segment: string): boolean {
  const folded = foldSegment(segment);
  const isOfLookAlikes = DOTS.test(folded) && !DOTS.test(segment);
  return DELIMITERS.test(folded) || DOT_SEGMENT.test(folded) || isOfLookAlikes;
}

/**
 * Throws `proxy_not_allowed` for a method or a path as it is sent that the connection's policy does not declare, and for
 * a login, refresh or logout, whatever the policy says. An escaped slash must be allowed however it is read.
 */
export function assertAllowed(
  policy: ProxyPolicy,
  { method, path }: { readonly method: string; readonly path: string },
  connection: Connection,
): void {
  const readings = [path, path.replaceAll(ESCAPED_SLASH, '/')].map(normalizePath);
  if (readings.some((reading) => isClosedPath(connection, reading))) {
    throw new BrokerError(
      'proxy_not_allowed',
      `The broker alone logs in and out at the connection ${connection.name}: paths of its logins, refreshes and logout are not forwarded.`,
    );
  }
  const prefixes = policy.paths.map(escapeSegments);
  const isAllowed = (reading: string) =>
    prefixes.some((prefix) => reading === prefix || reading.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`));
  if (policy.methods.includes(method) && readings.every(isAllowed)) return;
  throw new BrokerError(
    'proxy_not_allowed',
    `The connection ${connection.name} forwards ${policy.methods.join(', ')} under ${policy.paths.join(', ')} only.`,
  );
}

/** Writes every segment of a path that is sent in the one way in which policies are compared. */
function normalizePath(path: string): string {
  const normalizeOne = (segment: string) => escapeSegment(decodePath(segment) ?? segment);
  return path.split('/').map(normalizeOne).join('/');
}

/**
 * Escapes each segment once, as UTF-8, but for what RFC 3986 §3.3 has in one (`pchar`). Two paths that differ stay
 * different, as long as they hold no `%`.
 */
function escapeSegments(path: string): string {
  return path.split('/').map(escapeSegment).join('/');
}

function escapeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(NEEDLESS_ESCAPE, (escaped) => decodeURIComponent(escaped));
}
