import type { Connection } from './connection.ts';
import type { Placement, Provider } from './provider.ts';
import { SYSTEM } from './slot.ts';
import { fillMembers, fillText, type Values } from './text.ts';

/** Headers, query and base URL of a call to the upstream's API. */
export interface Placed {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The connection's own unless the provider gives another. */
  readonly baseUrl: string;
}

/** Places a subject's token, with the values that its login gave beside it, as the provider says. */
export function place(
  { connection, subject }: { readonly connection: Connection; readonly subject: string },
  token: string,
  values: Values,
): Placed {
  const { provider } = connection;
  const { headers, query, baseUrl } = provider.placement;
  const user = subject === SYSTEM ? {} : { subject };
  const all: Values = { ...connection.settings, baseUrl: connection.baseUrl, ...user, ...values, token };
  const address = baseUrl === undefined ? undefined : fillText(baseUrl, all, encode);
  return {
    headers: fillMembers(headers, all),
    query: fillMembers(query, all),
    baseUrl: address?.startsWith('/') ? appendPath(connection.baseUrl, address) : (address ?? connection.baseUrl),
  };

  function encode(value: string, name: string): string {
    return baseUrl?.startsWith(`{${name}}`) || isPartOfUrl(provider, name) ? value : encodeURIComponent(value);
  }
}

/** Appends a path to a base URL. */
export function appendPath(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}${path}`;
}

/** Reports whether a setting is a host or a path, which stand in a URL as they are. */
export function isPartOfUrl({ settings }: Pick<Provider, 'settings'>, name: string): boolean {
  const kind = settings !== undefined && Object.hasOwn(settings, name) ? settings[name]?.kind : undefined;
  return kind === 'host' || kind === 'path';
}

/** Reports whether a token is placed as RFC 6750 §2.1 says. */
export function isBearer({ headers = {} }: Placement): boolean {
  return Object.entries(headers).some(
    ([name, text]) => name.toLowerCase() === 'authorization' && /^Bearer \{token\}$/i.test(text),
  );
}
