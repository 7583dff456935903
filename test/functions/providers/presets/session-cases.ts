import { CLIENT, form, IN_FORM, json, NOW, type PresetCase } from './preset-case.ts';

const LOGIN = { username: 'u', password: 'p&w' };
const OPAQUE = 'abc';

function intacctAnswer(operation: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<response><control><status>success</status></control><operation>${operation}</operation></response>`;
}

/** Presets of keys and sessions that are no OAuth. */
export const sessionCases: readonly PresetCase[] = [
  {
    preset: 'looker',
    baseUrl: 'https://acme.looker.com',
    secret: CLIENT,
    sent: [form('https://acme.looker.com/api/4.0/login', IN_FORM)],
    answers: [{ body: '{"access_token":"abc","token_type":"Bearer","expires_in":3600}' }],
    token: OPAQUE,
    life: { seconds: 3600 },
    placed: { headers: { authorization: 'token abc' } },
    logout: [
      {
        method: 'DELETE',
        url: 'https://acme.looker.com/api/4.0/logout',
        headers: { accept: 'application/json', authorization: 'token abc' },
      },
      { status: 204 },
    ],
    errors: [[{ status: 404, body: '{"message":"Not found"}' }, 'upstream_invalid_response']],
  },
  {
    preset: 'looker',
    baseUrl: 'https://acme.looker.com',
    secret: CLIENT,
    subject: '7',
    sent: [
      form('https://acme.looker.com/api/4.0/login', IN_FORM),
      {
        url: 'https://acme.looker.com/api/4.0/login/7',
        headers: { accept: 'application/json', authorization: 'token adm' },
      },
    ],
    answers: [
      { body: '{"access_token":"adm","expires_in":3600}' },
      { body: '{"access_token":"abc","expires_in":1800}' },
    ],
    token: OPAQUE,
    life: { seconds: 1800 },
    placed: { headers: { authorization: 'token abc' } },
    logout: [
      {
        method: 'DELETE',
        url: 'https://acme.looker.com/api/4.0/logout',
        headers: { accept: 'application/json', authorization: 'token abc' },
      },
      { status: 204 },
    ],
    errors: [[{ status: 404, body: '{"message":"Not found"}' }, 'upstream_subject_rejected']],
  },
  {
    preset: 'tableau',
    baseUrl: 'https://10ax.online.tableau.com',
    settings: { site: 'acme' },
    secret: { name: 'n', value: 'v' },
    sent: [
      json('https://10ax.online.tableau.com/api/3.27/auth/signin', {
        credentials: { personalAccessTokenName: 'n', personalAccessTokenSecret: 'v', site: { contentUrl: 'acme' } },
      }),
    ],
    answers: [
      { body: '{"credentials":{"site":{"id":"s-1"},"token":"abc|def","estimatedTimeToExpiration":"1:59:59"}}' },
    ],
    token: 'abc|def',
    life: { seconds: 7200 },
    placed: { headers: { 'x-tableau-auth': 'abc|def' } },
    logout: [
      {
        url: 'https://10ax.online.tableau.com/api/3.27/auth/signout',
        headers: { accept: 'application/json', 'x-tableau-auth': 'abc|def' },
      },
      { status: 204 },
    ],
    errors: [
      [{ status: 401, body: '{"error":{"summary":"Signin Error","code":"401001"}}' }, 'upstream_credential_rejected'],
    ],
  },
  {
    preset: 'tableau',
    baseUrl: 'https://tableau.example',
    settings: { version: '3.19' },
    secret: { name: 'n', value: 'v' },
    sent: [
      json('https://tableau.example/api/3.19/auth/signin', {
        credentials: { personalAccessTokenName: 'n', personalAccessTokenSecret: 'v', site: { contentUrl: '' } },
      }),
    ],
    answers: [{ body: '{"credentials":{"token":"abc"}}' }],
    token: OPAQUE,
    life: { seconds: 7200 },
    placed: { headers: { 'x-tableau-auth': 'abc' } },
    logout: [
      {
        url: 'https://tableau.example/api/3.19/auth/signout',
        headers: { accept: 'application/json', 'x-tableau-auth': 'abc' },
      },
      { status: 204 },
    ],
    errors: [],
  },
  {
    preset: 'toast',
    baseUrl: 'https://ws-api.toasttab.com',
    settings: { restaurant: 'r-1' },
    secret: CLIENT,
    sent: [
      json('https://ws-api.toasttab.com/authentication/v1/authentication/login', {
        clientId: 'client',
        clientSecret: 's+cret/1',
        userAccessType: 'TOAST_MACHINE_CLIENT',
      }),
    ],
    answers: [{ body: '{"token":{"tokenType":"Bearer","expiresIn":86400,"accessToken":"abc"},"status":"SUCCESS"}' }],
    token: OPAQUE,
    life: { seconds: 86_400 },
    placed: { headers: { authorization: 'Bearer abc', 'toast-restaurant-external-id': 'r-1' } },
    errors: [[{ status: 401 }, 'upstream_credential_rejected']],
  },
  {
    preset: 'veeva-vault',
    baseUrl: 'https://acme.veevavault.com',
    secret: LOGIN,
    sent: [form('https://acme.veevavault.com/api/v24.3/auth', 'username=u&password=p%26w')],
    answers: [{ body: '{"responseStatus":"SUCCESS","sessionId":"abc","userId":1,"vaultId":2}' }],
    token: OPAQUE,
    life: { seconds: 600 },
    placed: { headers: { authorization: 'abc' } },
    errors: [
      [
        { body: '{"responseStatus":"FAILURE","errors":[{"type":"USERNAME_OR_PASSWORD_INCORRECT","message":"No."}]}' },
        'upstream_credential_rejected',
      ],
      [
        {
          body: '{"responseStatus":"FAILURE","errors":[{"type":"NO_PASSWORD_PROVIDED","message":"No."}],"errorType":"AUTHENTICATION_FAILED"}',
        },
        'upstream_credential_rejected',
      ],
      [{ body: '{"responseStatus":"FAILURE","errors":[{"type":"API_LIMIT_EXCEEDED"}]}' }, 'upstream_throttled'],
      [{ body: '{"responseStatus":"FAILURE","errors":[{"type":"USER_LOCKED_OUT"}]}' }, 'upstream_account_locked'],
      [{ body: '{"responseStatus":"FAILURE","errors":[{"type":"UNEXPECTED_ERROR"}]}' }, 'upstream_invalid_response'],
      [{ body: '{"responseStatus":"EXCEPTION"}' }, 'upstream_invalid_response'],
    ],
  },
  {
    preset: 'sap-business-one',
    baseUrl: 'https://b1.example:50000',
    settings: { company: 'SBODEMO' },
    secret: { userName: 'manager', password: 'p' },
    sent: [json('https://b1.example:50000/b1s/v1/Login', { CompanyDB: 'SBODEMO', UserName: 'manager', Password: 'p' })],
    answers: [
      {
        body: '{"SessionId":"abc","Version":"1000190","SessionTimeout":30}',
        headers: { 'set-cookie': ['B1SESSION=abc; HttpOnly; SameSite=None', 'ROUTEID=.node2; path=/b1s'] },
      },
    ],
    token: 'B1SESSION=abc; ROUTEID=.node2',
    life: { seconds: 1800 },
    placed: { headers: { cookie: 'B1SESSION=abc; ROUTEID=.node2' } },
    logout: [
      {
        url: 'https://b1.example:50000/b1s/v1/Logout',
        headers: { accept: 'application/json', cookie: 'B1SESSION=abc; ROUTEID=.node2' },
      },
      { status: 204 },
    ],
    errors: [
      [{ status: 401 }, 'upstream_credential_rejected'],
      [
        { status: 401, body: '{"error":{"code":100000027,"message":{"lang":"en-us","value":"Login failed"}}}' },
        'upstream_login_ambiguous',
      ],
    ],
  },
  {
    preset: 'sage-intacct-xml',
    baseUrl: 'https://api.intacct.com',
    settings: { company: 'A&B' },
    secret: { senderId: 's', senderPassword: 'sp', userId: 'u', userPassword: 'p<w' },
    sent: [
      {
        url: 'https://api.intacct.com/ia/xml/xmlgw.phtml',
        headers: { accept: 'application/xml', 'content-type': 'application/xml' },
        body: `<?xml version="1.0" encoding="UTF-8"?><request><control><senderid>s</senderid><password>sp</password><controlid>${NOW}</controlid><uniqueid>false</uniqueid><dtdversion>3.0</dtdversion></control><operation><authentication><login><userid>u</userid><companyid>A&#38;B</companyid><password>p&#60;w</password></login></authentication><content><function controlid="<uuid>"><getAPISession/></function></content></operation></request>`,
      },
    ],
    answers: [
      {
        body: intacctAnswer(
          '<authentication><status>success</status><userid>u</userid><companyid>A&amp;B</companyid><sessiontimeout>2026-01-02T05:04:05+00:00</sessiontimeout></authentication><result><status>success</status><function>getAPISession</function><data><api><sessionid>abc..</sessionid><endpoint>https://www-p02.intacct.com/ia/xml/xmlgw.phtml</endpoint></api></data></result>',
        ),
      },
    ],
    token: 'abc..',
    life: { exp: NOW + 7_200_000 },
    placed: { headers: {}, baseUrl: 'https://www-p02.intacct.com/ia/xml/xmlgw.phtml' },
    errors: [
      [
        {
          body: intacctAnswer(
            '<authentication><status>failure</status></authentication><errormessage><error><errorno>XL03000006</errorno></error></errormessage>',
          ),
        },
        'upstream_credential_rejected',
      ],
      [{ body: '<!DOCTYPE x><response/>' }, 'upstream_invalid_response'],
    ],
  },
  {
    preset: 'bill',
    baseUrl: 'https://gateway.prod.bill.com/connect',
    secret: { ...LOGIN, organizationId: '008', devKey: 'd-1' },
    sent: [json('https://gateway.prod.bill.com/connect/v3/login', { ...LOGIN, organizationId: '008', devKey: 'd-1' })],
    answers: [{ body: '{"sessionId":"abc","organizationId":"008","userId":"006"}' }],
    token: OPAQUE,
    life: { seconds: 2100 },
    placed: { headers: { sessionid: 'abc', devkey: 'd-1' }, proxyOnly: true },
    logout: [
      {
        url: 'https://gateway.prod.bill.com/connect/v3/logout',
        headers: { accept: 'application/json', sessionid: 'abc', devkey: 'd-1' },
      },
      {},
    ],
    errors: [
      [
        { status: 401, body: '[{"code":"BDC_1101","severity":"ERROR","message":"They do not match our records."}]' },
        'upstream_credential_rejected',
      ],
      [{ status: 400, body: '[{"code":"BDC_1322","message":"Too many at once."}]' }, 'upstream_throttled'],
      [{ status: 400, body: '[{"code":"BDC_1001","message":"System error occurred."}]' }, 'upstream_login_ambiguous'],
    ],
  },
  {
    preset: 'metabase',
    baseUrl: 'https://metabase.example',
    secret: LOGIN,
    sent: [json('https://metabase.example/api/session', LOGIN)],
    answers: [{ body: '{"id":"abc"}' }],
    token: OPAQUE,
    life: { seconds: 1_209_600 },
    placed: { headers: { 'x-metabase-session': 'abc' } },
    logout: [
      {
        method: 'DELETE',
        url: 'https://metabase.example/api/session',
        headers: { accept: 'application/json', 'x-metabase-session': 'abc' },
      },
      { status: 204 },
    ],
    errors: [[{ status: 401 }, 'upstream_credential_rejected']],
  },
];
