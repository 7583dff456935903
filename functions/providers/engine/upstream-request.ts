import type { Connection } from '../../core/slot/connection.ts';

/** The path of the connection's base URL, then the path given. */
export function upstreamUrl(connection: Connection, path: string): string {
  return `${connection.baseUrl.replace(/\/+$/, '')}${path}`;
}

/** Which certificates a request to the connection's upstream trusts. */
export function trustOf(connection: Connection): { readonly caCertificate?: string } {
  return connection.caCertificate === undefined ? {} : { caCertificate: connection.caCertificate };
}

/** The one header that a token travels in (H6, C14). */
export function placedToken({ placement }: Connection, token: string): Readonly<Record<string, string>> {
  const { header, scheme } = placement;
  return { [header]: scheme === undefined ? token : `${scheme} ${token}` };
}
