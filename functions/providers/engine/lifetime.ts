import type { Connection } from '../../core/slot/connection.ts';
import type { IssuedLife } from '../../core/slot/lifetime.ts';
import type { JsonValue } from '../../core/words/json.ts';
import type { Provider } from '../provider.ts';
import { valueAt } from './answer.ts';
import { claimsOf, expiryOf, numberOf } from './jwt-claims.ts';

/** What a new token's answer says of its end; empty where it says nothing, and `maxTokenAgeSeconds` alone bounds it. */
export function lifeOf(issued: {
  readonly provider: Provider;
  readonly connection: Connection;
  readonly token: string;
  readonly content: JsonValue | undefined;
}): IssuedLife {
  const { provider, connection, token, content } = issued;
  switch (provider.lifetime.from) {
    case 'jwt': {
      const exp = expiryOf(claimsOf(token));
      return exp === undefined ? {} : { exp };
    }
    case 'body':
      return capped(numberOf(valueAt(content, provider.lifetime.path)), connection);
    case 'setting':
      return capped(connection.lifetimeSeconds, connection);
    case 'none':
      return {};
  }
}

function capped(seconds: number | undefined, connection: Connection): IssuedLife {
  return seconds === undefined ? {} : { seconds: Math.min(seconds, connection.maxTokenAgeSeconds) };
}
