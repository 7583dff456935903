import { type Connection, fingerprintOf } from '../../functions/core/slot/connection.ts';
import { providers } from '../../functions/providers/registry.ts';

/** The settings of a connection that a test may choose. */
export type ConnectionSettings = Partial<Omit<Connection, 'fingerprint' | 'provider'>>;

const common = {
  allowPlainHttp: false,
  minTtlSeconds: 60,
  memorySeconds: 30,
  timeoutSeconds: 6,
  renewalCooldownSeconds: 60,
  tokensOverlap: true,
  proxyOnly: false,
  maxTokenAgeSeconds: 86_400,
} as const;

/** A connection whose tokens say their own end, for the system and for staff (H3, H4, H11). */
export function helpdeskConnection(settings: ConnectionSettings = {}): Connection {
  return fingerprinted({
    ...common,
    name: 'helpdesk',
    provider: { ...providers.helpmaster, name: 'helpmaster' },
    baseUrl: 'https://helpdesk.example.com',
    secret: 'token-broker/helpdesk',
    subjects: { system: true, users: true },
    refreshAfter: 0.8,
    idleSeconds: 86_400,
    settings: {},
    isolation: 'helpdesk',
    ...settings,
  });
}

/** A connection whose tokens live twenty minutes and can be slid (C14, C15, C17, C20). */
export function workforceConnection(settings: ConnectionSettings = {}): Connection {
  return fingerprinted({
    ...common,
    name: 'wfm',
    provider: { ...providers['community-web-api'], name: 'community-web-api' },
    baseUrl: 'https://wfm.example.com/CommunityWebApi/api',
    secret: 'token-broker/wfm',
    subjects: { system: true, users: false },
    refreshAfter: 0.5,
    idleSeconds: 3_600,
    lifetimeSeconds: 1_200,
    maxSessionSeconds: 43_200,
    settings: { keepAlivePath: '/Ping' },
    isolation: 'wfm',
    ...settings,
  });
}

/** A connection whose credential is a refresh token that rotates (RFC 6749 §6); its tokens say their life in seconds. */
export function booksConnection(settings: ConnectionSettings = {}, graceSeconds = 0): Connection {
  const provider = providers['oauth-refresh-token'];
  const refreshToken = { rotates: { graceSeconds } };
  return fingerprinted({
    ...common,
    name: 'books',
    provider: {
      ...provider,
      secretFields: { ...provider.secretFields, refreshToken },
      name: 'oauth-refresh-token',
    },
    baseUrl: 'https://books.example.com',
    secret: 'token-broker/books',
    keptSecret: 'token-broker/books/kept',
    subjects: { system: true, users: false },
    refreshAfter: 0.75,
    idleSeconds: 3_600,
    renewalCooldownSeconds: 600,
    settings: { tokenPath: '/oauth2/token' },
    isolation: 'books',
    ...settings,
  });
}

/** The same connection with a logout in its provider. */
export function withLogout(connection: Connection): Connection {
  const logout = { url: '/logout', headers: { authorization: '{token}' } };
  return fingerprinted({ ...connection, provider: { ...connection.provider, logout } });
}

function fingerprinted(connection: Omit<Connection, 'fingerprint'>): Connection {
  return { ...connection, fingerprint: fingerprintOf(connection) };
}
