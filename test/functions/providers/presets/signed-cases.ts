import {
  AN_HOUR,
  BASIC,
  form,
  NOW,
  OF_AN_HOUR,
  oauthError,
  type PresetCase,
  type SentRequest,
  UNKNOWN_CLIENT,
} from './preset-case.ts';

/** Placeholders in a case's secret for keys that the test makes. */
export const KEYS = { rsa: '<rsa key>', ec: '<ec key>', certificate: '<certificate>', certifiedKey: '<its key>' };

/** The placeholder for a claim that is new in each JWT. */
export const UUID = '<uuid>';

const ASSERTION_TYPE = 'urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer';
/** Client credentials by a signed JWT (RFC 7523 §2.2). */
export const CLIENT_ASSERTION = `grant_type=client_credentials&client_assertion_type=${ASSERTION_TYPE}&client_assertion=<jwt>`;
/** A signed JWT as the grant (RFC 7523 §2.1). */
export const JWT_BEARER = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=<jwt>';

/** A request with a JWT in it. */
export function bySignature(request: SentRequest, signed: NonNullable<SentRequest['signed']>): SentRequest {
  return { ...request, signed };
}

/** Presets that sign a JWT, or present a client certificate. */
export const signedCases: readonly PresetCase[] = [
  {
    preset: 'google-service-account',
    baseUrl: 'https://storage.googleapis.com',
    settings: { scope: ['https://www.googleapis.com/auth/drive', 'openid'] },
    secret: { client_email: 'b@p.iam.gserviceaccount.com', private_key: KEYS.rsa, private_key_id: 'k-1' },
    sent: [
      bySignature(form('https://oauth2.googleapis.com/token', JWT_BEARER), {
        header: { alg: 'RS256', typ: 'JWT', kid: 'k-1' },
        claims: {
          iss: 'b@p.iam.gserviceaccount.com',
          scope: 'https://www.googleapis.com/auth/drive openid',
          aud: 'https://oauth2.googleapis.com/token',
        },
        lifeSeconds: 3600,
      }),
    ],
    answers: [{ body: '{"access_token":"ya29.abc","expires_in":3599,"token_type":"Bearer"}' }],
    token: 'ya29.abc',
    life: { seconds: 3599 },
    placed: { headers: { authorization: 'Bearer ya29.abc' } },
    errors: [[oauthError('invalid_grant'), 'upstream_credential_rejected']],
  },
  {
    preset: 'google-service-account',
    baseUrl: 'https://gmail.googleapis.com',
    settings: { scope: ['openid'] },
    secret: { client_email: 'b@p.example', private_key: KEYS.rsa },
    subject: 'me@example.com',
    sent: [
      bySignature(form('https://oauth2.googleapis.com/token', JWT_BEARER), {
        header: { alg: 'RS256', typ: 'JWT' },
        claims: {
          iss: 'b@p.example',
          scope: 'openid',
          aud: 'https://oauth2.googleapis.com/token',
          sub: 'me@example.com',
        },
        lifeSeconds: 3600,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [[oauthError('invalid_grant'), 'upstream_subject_rejected']],
  },
  {
    preset: 'github-app',
    baseUrl: 'https://api.github.com',
    secret: { appId: '4711', privateKey: KEYS.rsa },
    subject: '123',
    sent: [
      {
        url: 'https://api.github.com/app/installations/123/access_tokens',
        headers: { accept: 'application/vnd.github+json', authorization: 'Bearer <jwt>' },
        // A minute back against clock drift; `exp` counts from now.
        signed: {
          header: { alg: 'RS256' },
          claims: { iss: '4711', iat: NOW / 1000 - 60 },
          lifeSeconds: 480,
        },
      },
    ],
    answers: [{ status: 201, body: '{"token":"ghs_abc","expires_at":"2026-01-02T04:04:05Z"}' }],
    token: 'ghs_abc',
    life: { exp: NOW + 3_600_000 },
    placed: { headers: { authorization: 'Bearer ghs_abc' } },
    errors: [
      [{ status: 404, body: '{"message":"Not Found"}' }, 'upstream_subject_rejected'],
      [{ status: 401, body: '{"message":"A JSON web token could not be decoded"}' }, 'upstream_credential_rejected'],
      [{ status: 403, body: '{"message":"API rate limit exceeded"}' }, 'upstream_login_ambiguous'],
    ],
  },
  {
    preset: 'salesforce-jwt',
    baseUrl: 'https://acme.my.salesforce.com',
    secret: { clientId: 'client', username: 'me@acme.example', privateKey: KEYS.rsa },
    sent: [
      bySignature(form('https://login.salesforce.com/services/oauth2/token', JWT_BEARER), {
        header: { alg: 'RS256' },
        claims: { iss: 'client', sub: 'me@acme.example', aud: 'https://login.salesforce.com' },
        lifeSeconds: 180,
      }),
    ],
    answers: [{ body: '{"access_token":"00D!A.B","instance_url":"https://acme-1.my.salesforce.com"}' }],
    token: '00D!A.B',
    life: { seconds: 7200 },
    placed: { headers: { authorization: 'Bearer 00D!A.B' }, baseUrl: 'https://acme-1.my.salesforce.com' },
    errors: [[oauthError('invalid_grant'), 'upstream_credential_rejected']],
  },
  {
    preset: 'netsuite-m2m',
    baseUrl: 'https://123.suitetalk.api.netsuite.com',
    settings: { scope: ['rest_webservices', 'restlets'] },
    secret: { clientId: 'client', certificateId: 'c-1', privateKey: KEYS.rsa },
    sent: [
      bySignature(form('https://123.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token', CLIENT_ASSERTION), {
        header: { alg: 'PS256', typ: 'JWT', kid: 'c-1' },
        claims: {
          iss: 'client',
          scope: 'rest_webservices,restlets',
          aud: 'https://123.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
        },
        lifeSeconds: 300,
      }),
    ],
    ...OF_AN_HOUR,
    answers: [{ body: '{"access_token":"abc","expires_in":"3600","token_type":"bearer"}' }],
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'okta-service-app',
    baseUrl: 'https://acme.okta.com',
    settings: { scope: ['okta.users.read', 'okta.groups.read'] },
    secret: { clientId: 'client', keyId: 'k-1', privateKey: KEYS.rsa },
    sent: [
      bySignature(
        form('https://acme.okta.com/oauth2/v1/token', `${CLIENT_ASSERTION}&scope=okta.users.read+okta.groups.read`),
        {
          header: { alg: 'RS256', kid: 'k-1' },
          claims: { iss: 'client', sub: 'client', aud: 'https://acme.okta.com/oauth2/v1/token', jti: UUID },
          lifeSeconds: 300,
        },
      ),
    ],
    ...OF_AN_HOUR,
    errors: [UNKNOWN_CLIENT, [oauthError('invalid_scope'), 'upstream_request_rejected']],
  },
  {
    preset: 'docusign',
    baseUrl: 'https://na1.docusign.net/restapi',
    settings: { loginHost: 'account-d.docusign.com' },
    secret: { integrationKey: 'key', userId: 'u-1', privateKey: KEYS.rsa },
    sent: [
      bySignature(form('https://account-d.docusign.com/oauth/token', JWT_BEARER), {
        header: { alg: 'RS256' },
        claims: { iss: 'key', sub: 'u-1', aud: 'account-d.docusign.com', scope: 'signature impersonation' },
        lifeSeconds: 3600,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [
      [{ status: 400, body: '{"error":"consent_required"}' }, 'upstream_request_rejected'],
      [oauthError('invalid_grant'), 'upstream_credential_rejected'],
    ],
  },
  {
    preset: 'epic-fhir',
    baseUrl: 'https://fhir.example/interconnect',
    secret: { clientId: 'client', keyId: 'k-1', privateKey: KEYS.rsa },
    sent: [
      bySignature(form('https://fhir.example/interconnect/oauth2/token', CLIENT_ASSERTION), {
        header: { alg: 'RS384', typ: 'JWT', kid: 'k-1' },
        claims: { iss: 'client', sub: 'client', aud: 'https://fhir.example/interconnect/oauth2/token', jti: UUID },
        lifeSeconds: 240,
      }),
    ],
    ...OF_AN_HOUR,
    errors: [
      [{ status: 400, body: '{"error":"invalid_client","error_description":null}' }, 'upstream_credential_rejected'],
    ],
  },
  {
    preset: 'snowflake',
    baseUrl: 'https://acme.snowflakecomputing.com',
    settings: { account: 'ACME', user: 'ME' },
    secret: { privateKey: KEYS.rsa },
    sent: [],
    answers: [],
    token: {
      jwt: {
        header: { alg: 'RS256' },
        claims: { iss: 'ACME.ME.SHA256:<fingerprint>', sub: 'ACME.ME' },
        lifeSeconds: 3540,
      },
    },
    life: { exp: NOW + 3_540_000 },
    placed: {
      headers: { authorization: 'Bearer <token>', 'x-snowflake-authorization-token-type': 'KEYPAIR_JWT' },
    },
    errors: [],
  },
  {
    preset: 'app-store-connect',
    baseUrl: 'https://api.appstoreconnect.apple.com',
    secret: { issuerId: 'i-1', keyId: 'k-1', privateKey: KEYS.ec },
    sent: [],
    answers: [],
    token: {
      jwt: {
        header: { alg: 'ES256', kid: 'k-1', typ: 'JWT' },
        claims: { iss: 'i-1', aud: 'appstoreconnect-v1' },
        lifeSeconds: 1140,
      },
    },
    life: { exp: NOW + 1_140_000 },
    placed: { headers: { authorization: 'Bearer <token>' } },
    errors: [],
  },
  {
    preset: 'adp',
    baseUrl: 'https://api.adp.com',
    secret: { clientId: 'client', clientSecret: 's', certificate: KEYS.certificate, privateKey: KEYS.certifiedKey },
    sent: [
      {
        ...form(
          'https://accounts.adp.com/auth/oauth/v2/token',
          'grant_type=client_credentials&client_id=client&client_secret=s',
        ),
        certificate: true,
      },
    ],
    answers: [AN_HOUR],
    token: 'abc',
    life: { seconds: 3600 },
    placed: { headers: { authorization: 'Bearer abc' }, proxyOnly: true },
    errors: [UNKNOWN_CLIENT],
  },
  {
    preset: 'wise-platform',
    baseUrl: 'https://api-mtls.transferwise.com',
    secret: {
      ...{ clientId: 'client', clientSecret: 's+cret/1' },
      ...{ certificate: KEYS.certificate, privateKey: KEYS.certifiedKey },
    },
    sent: [
      {
        ...form('https://api-mtls.transferwise.com/oauth/token', 'grant_type=client_credentials', BASIC),
        certificate: true,
      },
    ],
    answers: [{ body: '{"access_token":"abc","token_type":"bearer","expires_in":43199}' }],
    token: 'abc',
    life: { seconds: 43_199 },
    placed: { headers: { authorization: 'Bearer abc' }, proxyOnly: true },
    errors: [UNKNOWN_CLIENT],
  },
];
