const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];
const DEFAULT_HTTP_PORT = 80;

/** Parts of a request that the guard checks. */
export interface GuardedRequest {
  /** Headers by name in lower case; repeated values joined by ",". */
  readonly headers: Pick<ReadonlyMap<string, string>, 'get'>;
  /** Authority of an absolute-form target (RFC 9112 §3.2.2); takes precedence over `Host`. */
  readonly authority: string | undefined;
}

/**
 * Reports whether no other site caused a request: it comes from a page of this origin, from the user, or from no
 * browser. A request for the script of a service worker does not pass.
 */
export function isOfNoOtherSite(headers: GuardedRequest['headers']): boolean {
  const site = headers.get('sec-fetch-site');
  return (site === undefined || site === 'same-origin' || site === 'none') && !headers.get('service-worker');
}

/**
 * Creates the check that lets in only requests meant for this machine's own `port`.
 *
 * A page on the web can point a name of its own at 127.0.0.1 (DNS rebinding), but it cannot forge `Host` or
 * `Origin`: so `Host`, or the authority of an absolute-form target, must be loopback with this port, and an `Origin`
 * that is sent must be loopback with this port too. `null`, and a header sent twice, do not pass. A browser says of
 * every request whether another site causes it, images, frames and links among them: those do not pass either.
 */
export function createLoopbackGuard(port: number): (request: GuardedRequest) => boolean {
  const withPort = LOOPBACK_HOSTS.map((host) => `${host}:${port}`);
  const hosts = new Set(port === DEFAULT_HTTP_PORT ? [...withPort, ...LOOPBACK_HOSTS] : withPort);
  const origins = new Set([...hosts].map((host) => `http://${host}`));

  return ({ headers, authority }) => {
    const host = headers.get('host');
    const origin = headers.get('origin');
    const hostIsOurs = host !== undefined && hosts.has(host.toLowerCase());
    const authorityIsOurs = authority === undefined || hosts.has(authority.toLowerCase());
    const originIsOurs = origin === undefined || origins.has(origin.toLowerCase());
    return hostIsOurs && authorityIsOurs && originIsOurs && isOfNoOtherSite(headers);
  };
}
