import type { Connection } from '../slot/connection.ts';
import type { Provider, Step } from '../slot/provider.ts';
import { fillText, namesIn } from '../slot/text.ts';

/** Stands for a value that is known only once an answer or a subject is: any one segment. */
const ANY = '\uE000';
const INVISIBLE = /[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const AFTER_A_NAME = /^[^\p{L}\p{N}_-]/u;
/** A session in the path, which ASP.NET cuts out before it looks at the rest: `(S(x))`, folded. */
const COOKIELESS = /^\((?:[a-z]\([^)]*\))+\)$/;
/** A script that may serve the path behind it: `/index.php/login`, folded. */
const SCRIPT = /\.(?:php\d*|f?cgi|pl|py|wsgi)$/;

/**
 * Folds a decoded segment to what the most lenient server may read in it: letters alike in form (full width, accents),
 * without case, invisible characters, and blanks around it.
 */
export function foldSegment(segment: string): string {
  return segment.normalize('NFKD').replace(INVISIBLE, '').toUpperCase().toLowerCase().trim();
}

/**
 * Reports whether a path leads to a login, a refresh or a logout of the connection, or below one. There a caller could
 * guess passwords and lock the account, log in as somebody else, or end the session. `path` is as it is sent, behind
 * the base URL. Hosts are not compared: a vendor's login often stands on each of its hosts.
 */
export function isClosedPath(
  { provider, settings, baseUrl }: Pick<Connection, 'provider' | 'settings' | 'baseUrl'>,
  path: string,
): boolean {
  const asked = segmentsOf(path);
  const behindBase = [...segmentsOf(pathnameOf(baseUrl)), ...asked];
  return closedSteps(provider).some((step) => {
    const own = fillPath(step, settings);
    if (own === undefined) return false;
    const closed = segmentsOf(own);
    if (leadsTo(asked, closed) || leadsTo(behindBase, closed)) return true;
    // The base URL that an answer gives may hold the beginning of the path.
    return provider.placement.baseUrl !== undefined && closed.some((_, cut) => leadsTo(asked, closed.slice(cut)));
  });
}

/** The steps that take a credential, or give or end a token. A renewal by any gated call is a call like others. */
function closedSteps({ logins, renewal, logout }: Provider): readonly Step[] {
  const renewing = renewal === undefined ? [] : 'refresh' in renewal ? renewal.refresh : slideStep(renewal);
  return [...Object.values(logins).flat(), ...renewing, ...(logout === undefined ? [] : [logout])];
}

function slideStep({ slide, everyAnswer }: { readonly slide: Step; readonly everyAnswer?: true }): readonly Step[] {
  return everyAnswer === true || slide.reads?.['token'] === undefined ? [] : [slide];
}

/** A step's path, with `ANY` for each value that no setting gives; undefined where an answer alone says it. */
function fillPath({ url }: Step, settings: Connection['settings']): string | undefined {
  const unknown = Object.fromEntries(namesIn(url).map((name) => [name, ANY]));
  const filled = fillText(url, { ...unknown, ...settings, baseUrl: '' });
  if (filled === undefined || filled === ANY) return undefined;
  return pathnameOf(filled.startsWith(ANY) ? filled.slice(ANY.length) : filled);
}

/** The path of a URL, or of a path with a query. */
function pathnameOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
}

/**
 * The segments of a path that say something, each folded, without the parameters that Tomcat cuts off (`;x=1`). Dots
 * and blanks alone, of which Windows makes nothing, say nothing, nor does a session in the path.
 */
function segmentsOf(path: string): readonly string[] {
  return path
    .split('/')
    .map((segment) => foldSegment(decode(segment)))
    .filter((segment) => !COOKIELESS.test(segment))
    .map((segment) => segment.replace(/;.*$/s, ''))
    .filter((segment) => /[^.\s]/.test(segment));
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Reports whether a path is the closed one or lies below it, as it stands or behind the scripts that may serve it. */
function leadsTo(asked: readonly string[], closed: readonly string[]): boolean {
  return isOrLiesBelow(asked, closed) || isOrLiesBelow(withoutScripts(asked), withoutScripts(closed));
}

/** Compares segment by segment; a closed base URL closes nothing below it. */
function isOrLiesBelow(asked: readonly string[], closed: readonly string[]): boolean {
  if (closed.length === 0) return asked.length === 0;
  return closed.every((name, at) => isNamed(asked[at], name));
}

function withoutScripts(segments: readonly string[]): readonly string[] {
  return segments.filter((segment, at) => at === segments.length - 1 || !SCRIPT.test(segment));
}

/**
 * Reports whether a server may read a segment as a name: `login` also as `login;x`, `login.json`, `login()`, `login:8`.
 */
function isNamed(segment: string | undefined, name: string): boolean {
  if (segment === undefined) return false;
  if (name.includes(ANY)) return true;
  return segment.startsWith(name) && (segment.length === name.length || AFTER_A_NAME.test(segment.slice(name.length)));
}
