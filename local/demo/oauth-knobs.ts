import * as z from 'zod';
import { commonKnobDefaults, commonKnobFields } from './knobs.ts';

/** Credential of the demo OAuth server's client, in the shape of the secret's value. Basic must encode it first. */
export const demoOAuthSecret = { clientId: 'broker:demo', clientSecret: ':%+ é& of the demo' };

/** A refresh token that the demo OAuth server takes at its start, as after a person's consent. */
export const demoRefreshToken = 'demo-refresh-token-of-the-first-consent';

/** Error codes of RFC 6749 §5.2 and RFC 8707 §2, and those that servers add. */
const errorCode = z.enum([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'slow_down',
  'temporarily_unavailable',
  'server_error',
]);

/** Schema of the demo OAuth server's knobs. */
export const oauthKnobs = z.strictObject({
  credential: z.strictObject({ clientId: z.string().min(1), clientSecret: z.string().min(1) }),
  ...commonKnobFields,
  clientAuthentication: z.array(z.enum(['client_secret_basic', 'client_secret_post'])),
  grantTypes: z.array(z.enum(['client_credentials', 'refresh_token'])),
  scopes: z.array(z.string()),
  resources: z.array(z.string()),
  error: errorCode.nullable(),
  errorDescription: z.string().nullable(),
  expiresIn: z.enum(['normal', 'absent', 'null', 'text', 'unreadable']),
  tokenType: z.enum(['Bearer', 'bearer', 'absent', 'DPoP']),
  reissues: z.boolean(),
  tokensOverlap: z.boolean(),
  tokensPerMinute: z.int().min(0).nullable(),
  rotation: z.enum(['none', 'every-use', 'reuse-ends-all']),
  rotationGraceSeconds: z.number().min(0).max(86_400),
});

/** Knobs of the demo OAuth server. */
export type OAuthKnobs = z.infer<typeof oauthKnobs>;

/** An error code that the demo OAuth server may answer. */
export type OAuthErrorCode = z.infer<typeof errorCode>;

/** Defaults: tokens of 15 minutes, each its own; refresh tokens stay. */
export const oauthKnobDefaults: OAuthKnobs = {
  credential: demoOAuthSecret,
  ...commonKnobDefaults,
  lifetimeSeconds: 900,
  clientAuthentication: ['client_secret_basic', 'client_secret_post'],
  grantTypes: ['client_credentials', 'refresh_token'],
  scopes: ['orders.read', 'orders.write'],
  resources: ['https://orders.example/v1'],
  error: null,
  errorDescription: null,
  expiresIn: 'normal',
  tokenType: 'Bearer',
  reissues: false,
  tokensOverlap: true,
  tokensPerMinute: null,
  rotation: 'none',
  rotationGraceSeconds: 0,
};
