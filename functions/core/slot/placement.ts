import type { Connection } from './connection.ts';
import type { Placement } from './provider.ts';
import { fillMembers, fillText, type Values } from './text.ts';

/** What a call to the upstream's API carries, and where it goes. */
export interface Placed {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The connection's own where the provider says no other. */
  readonly baseUrl: string;
}

/** Places a token, with the values that its login gave beside it, as the provider says. */
export function place(connection: Connection, token: string, values: Values): Placed {
  const { headers, query, baseUrl } = connection.provider.placement;
  const all: Values = { ...connection.settings, baseUrl: connection.baseUrl, ...values, token };
  return {
    headers: fillMembers(headers, all),
    query: fillMembers(query, all),
    baseUrl: (baseUrl === undefined ? undefined : fillText(baseUrl, all)) ?? connection.baseUrl,
  };
}

/** Reports whether a token is placed as RFC 6750 §2.1 has it. */
export function isBearer({ headers = {} }: Placement): boolean {
  return Object.entries(headers).some(
    ([name, text]) => name.toLowerCase() === 'authorization' && /^Bearer \{token\}$/i.test(text),
  );
}
