import { form, oauthError, type PresetCase } from './preset-case.ts';

/** An answer of an hour or more, with the next refresh token. */
const refreshed = (others: object) => ({
  body: JSON.stringify({ access_token: 'abc', token_type: 'bearer', ...others }),
});
const ISSUED = { token: 'abc', placed: { headers: { authorization: 'Bearer abc' } } } as const;
const SPENT = [oauthError('invalid_grant'), 'reauthorization_required'] as const;
/** Apps, secrets and refresh tokens as the vendors' examples name them. */
const SECRET = { clientId: 'APP_ID', clientSecret: 'APP_SECRET', refreshToken: 'REFRESH_TOKEN' };

/** Presets whose credential is a refresh token that rotates. */
export const rotatingCases: readonly PresetCase[] = [
  {
    preset: 'box-refresh-token',
    baseUrl: 'https://api.box.com',
    secret: { clientId: '[CLIENT_ID]', clientSecret: '[CLIENT_SECRET]', refreshToken: 'c3FIOG9vSGV4VHo4QzAy' },
    sent: [
      form(
        'https://api.box.com/oauth2/token',
        'client_id=%5BCLIENT_ID%5D&client_secret=%5BCLIENT_SECRET%5D&refresh_token=c3FIOG9vSGV4VHo4QzAy&grant_type=refresh_token',
      ),
    ],
    answers: [
      refreshed({
        ...{ expires_in: 3600, restricted_to: [{ scope: 'item_download', object: { id: '12345', type: 'folder' } }] },
        refresh_token: 'c3FIOG9vSGV4VHo4QzAz',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }),
    ],
    ...ISSUED,
    life: { seconds: 3600 },
    errors: [
      [
        { status: 400, body: '{"error":"invalid_grant","error_description":"Refresh token has expired"}' },
        'reauthorization_required',
      ],
      [oauthError('invalid_client', 401), 'upstream_credential_rejected'],
    ],
  },
  {
    preset: 'gitlab',
    baseUrl: 'https://gitlab.example.com',
    settings: { redirectUri: 'https://example.com/oauth/redirect' },
    secret: SECRET,
    sent: [
      form(
        'https://gitlab.example.com/oauth/token',
        'client_id=APP_ID&client_secret=APP_SECRET&refresh_token=REFRESH_TOKEN&grant_type=refresh_token&redirect_uri=https%3A%2F%2Fexample.com%2Foauth%2Fredirect',
      ),
    ],
    answers: [refreshed({ expires_in: 7200, refresh_token: '803c1fd487fec355', created_at: 1_628_711_391 })],
    ...ISSUED,
    life: { seconds: 7200 },
    errors: [SPENT],
  },
  {
    preset: 'quickbooks',
    baseUrl: 'https://quickbooks.api.intuit.com',
    secret: SECRET,
    sent: [
      form(
        'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
        'grant_type=refresh_token&refresh_token=REFRESH_TOKEN',
        { authorization: `Basic ${Buffer.from('APP_ID:APP_SECRET').toString('base64')}` },
      ),
    ],
    answers: [
      refreshed({ expires_in: 3600, refresh_token: 'NEXT', x_refresh_token_expires_in: 8_726_400, id_token: 'ID' }),
    ],
    ...ISSUED,
    life: { seconds: 3600 },
    errors: [
      [
        { status: 400, body: '{"error":"invalid_grant","error_description":"Token invalid"}' },
        'reauthorization_required',
      ],
    ],
  },
];
