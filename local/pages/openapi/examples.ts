import type { SchemaInput } from './schemas.ts';

const TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyaWQiOiI4OCJ9.c2lnbmF0dXJl';
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** Id of a request, as examples have it. */
export const EXAMPLE_REQUEST_ID = '5d0c1a8e-3a52-4b0e-9d1c-6d2f1b7a4c55';

const handOut = {
  access_token: TOKEN,
  token_type: 'Bearer',
  expires_in: 86_394,
  expires_at: '2026-11-23T03:39:44Z',
  issued_at: '2026-11-22T03:39:44Z',
  refresh_at: '2026-11-22T21:42:10Z',
  connection: 'helpdesk',
  subject: '88',
  generation: 7,
  source: 'cache',
  headers: { Authorization: `Bearer ${TOKEN}` },
  attributes: {},
} as const;

const helpdesk = { name: 'helpdesk', provider: 'helpmaster', lifetime_seconds: 86_400 };

/** Whole answers and bodies by the name of their schema, as callers see them. One that does not fit does not compile. */
export const examples = {
  HandOut: handOut,
  Rejection: { rejected: HASH },
  Connections: {
    connections: [helpdesk, { name: 'wfm', provider: 'community-web-api', lifetime_seconds: 1200 }],
  },
  ConnectionStatus: {
    ...helpdesk,
    secret: 'token-broker/helpdesk',
    secret_fields: [{ name: 'apiKey', kind: 'text', required: true }],
    subjects: {
      system: true,
      users: { key: 'staff', pattern: '[1-9][0-9]{0,9}', words: 'a staff PKID: a positive integer', listed: null },
    },
    credential: { standing: 'refused', takes_candidates: true },
    slots: [
      {
        subject: '88',
        state: 'fresh',
        issued_at: '2026-11-22T03:39:44Z',
        expires_at: '2026-11-23T03:39:44Z',
        refresh_at: '2026-11-22T21:42:10Z',
        generation: 7,
        last_error: null,
      },
      {
        subject: 'system',
        state: 'cooldown',
        issued_at: null,
        expires_at: null,
        refresh_at: null,
        generation: 0,
        last_error: {
          code: 'upstream_credential_rejected',
          at: '2026-11-22T09:58:41Z',
          evidence: 'the status 401 with JSON of its own shape, and the refusal in the body',
        },
      },
    ],
  },
  Try: { subject: 'system' },
  Tried: {
    connection: 'helpdesk',
    subject: 'system',
    provider: 'helpmaster',
    derived: [],
    steps: [
      {
        request: {
          method: 'POST',
          url: 'https://help.example.com/api/user/getsystemtoken',
          headers: { 'content-type': 'application/json' },
          body: { apiKey: '{apiKey}' },
        },
        answer: { status: 200, headers: { 'content-type': ['application/json'] }, body: { token: '{token}' } },
        reads: [{ name: 'token', from: 'body.token', type: 'text', length: 214 }],
      },
    ],
    token: {
      length: 214,
      expires_at: '2026-11-23T03:39:44Z',
      end: { by: 'jwt', says: '2026-11-23T03:39:44Z' },
      placed: { headers: { Authorization: 'Bearer {token}' }, query: {}, base_url: 'https://help.example.com/api' },
    },
    result: { outcome: 'published', generation: 8 },
  },
  ExchangeForm: {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'the JWT of the workload',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: 'helpdesk',
    requested_subject: '88',
  },
  Exchanged: { ...handOut, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
} as const satisfies { readonly [Name in ExampleName]: SchemaInput<Name> };

/** Schema that an example of a whole body stands for. */
export type ExampleName =
  | 'HandOut'
  | 'Rejection'
  | 'Connections'
  | 'ConnectionStatus'
  | 'Try'
  | 'Tried'
  | 'ExchangeForm'
  | 'Exchanged';
