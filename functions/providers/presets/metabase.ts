import { body, type Provider } from '../provider.ts';

/**
 * Metabase: a session of 14 days.
 * https://github.com/metabase/metabase/wiki/Using-the-REST-API and https://www.metabase.com/docs/latest/api/session
 */
export const metabase = {
  secretFields: { username: {}, password: {} },
  defaults: { lifetimeSeconds: 1_209_600, maxTokenAgeSeconds: 1_209_600 },
  logins: {
    system: [
      {
        url: '/api/session',
        json: { username: '{username}', password: '{password}' },
        reads: { token: body('id') },
      },
    ],
  },
  placement: { headers: { 'x-metabase-session': '{token}' } },
  lifetime: [{ setting: 'lifetimeSeconds' }],
  logout: { method: 'DELETE', url: '/api/session', headers: { 'x-metabase-session': '{token}' } },
} as const satisfies Provider;
