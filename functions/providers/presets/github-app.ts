import { BEARER, body, type Provider } from '../provider.ts';

/**
 * GitHub App: one subject for each installation.
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
 * Not seen in the vendor's text: the JWT's limits of ten minutes ahead and one minute back.
 */
export const githubApp = {
  secretFields: { appId: {}, privateKey: { kind: 'pem' } },
  userSubject: { key: 'installations', pattern: '[1-9][0-9]{0,14}', words: 'installation id: a positive integer' },
  derived: {
    // A minute back, for a clock that is ahead of GitHub's.
    issued: { time: 'seconds', plusSeconds: -60 },
    app: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        claims: { iss: '{appId}', iat: { number: '{issued}' } },
        lifeSeconds: 480,
      },
    },
  },
  logins: {
    user: [
      {
        url: '/app/installations/{subject}/access_tokens',
        headers: { authorization: 'Bearer {app}', accept: 'application/vnd.github+json' },
        reads: { token: body('token'), end: body('expires_at') },
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: [{ value: 'end', as: 'date' }],
  answers: [
    { status: [404], means: 'subject' },
    { at: body('message'), is: ['Bad credentials', 'A JSON web token could not be decoded'], means: 'credential' },
  ],
} as const satisfies Provider;
