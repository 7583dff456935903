import {
  BASIC,
  CLIENT,
  form,
  IN_FORM,
  json,
  OF_AN_HOUR,
  oauthError,
  type PresetCase,
  UNKNOWN_CLIENT,
} from './preset-case.ts';
import { bySignature, CLIENT_ASSERTION, JWT_BEARER, KEYS, UUID } from './signed-cases.ts';

const CLIENT_CREDENTIALS = `grant_type=client_credentials&${IN_FORM}`;
const LOGIN = { username: 'u', password: 'p&w' };
const OPAQUE = 'abc';

/** Presets of a standard, or of a plain login, and of no vendor. */
export const genericCases: readonly PresetCase[] = [
  {
    preset: 'oauth-client-credentials',
    baseUrl: 'https://login.example/tenant',
    settings: { scope: ['a', 'b:c'], audience: 'https://api.example' },
    secret: CLIENT,
    sent: [
      form(
        'https://login.example/tenant/oauth2/token',
        `${CLIENT_CREDENTIALS}&scope=a+b%3Ac&audience=https%3A%2F%2Fapi.example`,
      ),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT, [oauthError('invalid_scope'), 'upstream_request_rejected']],
  },
  {
    preset: 'oauth-client-credentials',
    baseUrl: 'https://login.example',
    settings: { parametersAs: 'json', tokenPath: '/token' },
    secret: CLIENT,
    sent: [
      json('https://login.example/token', {
        grant_type: 'client_credentials',
        client_id: 'client',
        client_secret: 's+cret/1',
      }),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'oauth-client-credentials-basic',
    baseUrl: 'https://login.example',
    settings: { resource: 'urn:r' },
    secret: CLIENT,
    sent: [form('https://login.example/oauth2/token', 'grant_type=client_credentials&resource=urn%3Ar', BASIC)],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'oauth-client-credentials-basic',
    baseUrl: 'https://login.example',
    settings: { resource: ['urn:r', 'https://api.example/a'] },
    secret: CLIENT,
    sent: [
      form(
        'https://login.example/oauth2/token',
        'grant_type=client_credentials&resource=urn%3Ar&resource=https%3A%2F%2Fapi.example%2Fa',
        BASIC,
      ),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'oauth-refresh-token',
    baseUrl: 'https://login.example',
    secret: { ...CLIENT, refreshToken: 'r-1' },
    sent: [form('https://login.example/oauth2/token', `grant_type=refresh_token&refresh_token=r-1&${IN_FORM}`)],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT, [oauthError('invalid_grant'), 'reauthorization_required']],
  },
  {
    preset: 'oauth-refresh-token-basic',
    baseUrl: 'https://login.example',
    settings: { scope: ['a', 'b'] },
    secret: { ...CLIENT, refreshToken: 'r-1' },
    sent: [form('https://login.example/oauth2/token', 'grant_type=refresh_token&refresh_token=r-1&scope=a+b', BASIC)],
    ...OF_AN_HOUR,
    errors: [[oauthError('invalid_grant'), 'reauthorization_required']],
  },
  ...(['oauth-tls-client-auth', 'oauth-certificate-bound'] as const).map(
    (preset): PresetCase => ({
      preset,
      baseUrl: 'https://login.example',
      settings: { scope: 'a', resource: 'https://api.example/a' },
      secret: { clientId: 'client', certificate: KEYS.certificate, privateKey: KEYS.certifiedKey },
      sent: [
        {
          ...form(
            'https://login.example/oauth2/token',
            'grant_type=client_credentials&client_id=client&scope=a&resource=https%3A%2F%2Fapi.example%2Fa',
          ),
          certificate: true,
        },
      ],
      ...OF_AN_HOUR,
      placed: {
        headers: { authorization: 'Bearer abc' },
        ...(preset === 'oauth-certificate-bound' && { proxyOnly: true }),
      },
      errors: [UNKNOWN_CLIENT],
    }),
  ),
  {
    preset: 'oauth-private-key-jwt',
    baseUrl: 'https://login.example',
    settings: { algorithm: 'ES256' },
    secret: { clientId: 'client', privateKey: KEYS.ec },
    sent: [
      bySignature(form('https://login.example/oauth2/token', CLIENT_ASSERTION), {
        header: { alg: 'ES256' },
        claims: { iss: 'client', sub: 'client', aud: 'https://login.example/oauth2/token', jti: UUID },
        lifeSeconds: 300,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'jwt-bearer',
    baseUrl: 'https://login.example',
    settings: { resource: 'https://api.example/a' },
    secret: { issuer: 'client', privateKey: KEYS.rsa },
    sent: [
      bySignature(form('https://login.example/oauth2/token', `${JWT_BEARER}&resource=https%3A%2F%2Fapi.example%2Fa`), {
        header: { alg: 'RS256' },
        claims: { iss: 'client', sub: 'client', aud: 'https://login.example/oauth2/token', jti: UUID },
        lifeSeconds: 300,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT, [oauthError('invalid_grant'), 'upstream_credential_rejected']],
  },
  {
    preset: 'oauth-private-key-jwt',
    baseUrl: 'https://login.example',
    settings: { scope: ['a', 'b'] },
    secret: { clientId: 'client', keyId: 'k-1', privateKey: KEYS.rsa },
    sent: [
      bySignature(form('https://login.example/oauth2/token', `${CLIENT_ASSERTION}&scope=a+b`), {
        header: { alg: 'RS256', kid: 'k-1' },
        claims: { iss: 'client', sub: 'client', aud: 'https://login.example/oauth2/token', jti: UUID },
        lifeSeconds: 300,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'jwt-bearer',
    baseUrl: 'https://login.example',
    settings: { assertionAudience: 'https://issuer.example' },
    secret: { issuer: 'client', privateKey: KEYS.rsa },
    subject: 'me@example.com',
    sent: [
      bySignature(form('https://login.example/oauth2/token', JWT_BEARER), {
        header: { alg: 'RS256' },
        claims: { iss: 'client', sub: 'me@example.com', aud: 'https://issuer.example', jti: UUID },
        lifeSeconds: 300,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT, [oauthError('invalid_grant'), 'upstream_subject_rejected']],
  },
  {
    preset: 'login-json',
    baseUrl: 'https://api.example',
    secret: LOGIN,
    sent: [json('https://api.example/login', LOGIN)],
    answers: [{ body: '{"token":"abc"}' }],
    token: OPAQUE,
    life: {},
    placed: { headers: { authorization: 'Bearer abc' } },
    errors: [[{ status: 401 }, 'upstream_credential_rejected']],
  },
  {
    preset: 'login-form',
    baseUrl: 'https://api.example/v1',
    settings: { loginPath: '/auth' },
    secret: LOGIN,
    sent: [form('https://api.example/v1/auth', 'username=u&password=p%26w')],
    answers: [{ body: '{"token":"abc"}' }],
    token: OPAQUE,
    life: {},
    placed: { headers: { authorization: 'Bearer abc' } },
    errors: [[{ status: 401 }, 'upstream_credential_rejected']],
  },
];
