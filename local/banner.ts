import type { Configuration } from '../functions/configuration/configuration.ts';
import { demoHelpmasterSecret } from './demo/helpmaster-knobs.ts';
import { LOCAL_CREDENTIAL, LOCAL_REGION } from './gateway/sigv4.ts';

/** Shell command that prints only the token of a hand-out; Node is always there. */
const TOKEN_ALONE = `node -pe 'JSON.parse(fs.readFileSync(0)).access_token'`;

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';

interface Address {
  readonly url: string;
  readonly baseUrl: string;
}

/** Parts of a running broker that the banner names. */
interface Running {
  readonly url: string;
  readonly configuration: Configuration;
  readonly demo:
    | (Readonly<Record<'helpmaster' | 'community' | 'oauth', Address>> & { readonly issuer: { readonly url: string } })
    | undefined;
}

/** Builds the text to print once everything runs: URLs, and requests to copy and paste. */
export function bannerOf({ url, configuration, demo }: Running, requireSigv4: boolean): string {
  const curl = requireSigv4
    ? `curl -s --aws-sigv4 aws:amz:${LOCAL_REGION}:execute-api --user ${LOCAL_CREDENTIAL}:${LOCAL_CREDENTIAL}`
    : 'curl -s';
  const names = Object.keys(configuration.connections);
  // Connections of these names may be declared on other upstreams.
  const isDemo =
    demo !== undefined &&
    configuration.connections['helpdesk']?.baseUrl === demo.helpmaster.baseUrl &&
    configuration.connections['wfm']?.baseUrl === demo.community.baseUrl &&
    configuration.connections['orders']?.baseUrl === demo.oauth.baseUrl;
  return [
    `listening on ${url}`,
    ...(demo === undefined
      ? []
      : [
          `demo helpmaster ${demo.helpmaster.url}`,
          `demo community ${demo.community.url}`,
          `demo oauth ${demo.oauth.url}`,
        ]),
    '',
    ...(isDemo ? demoRequests(url, demo, configuration, curl) : ownRequests(url, names, configuration, curl)),
    '',
    `See it at work in a browser: ${url}/`,
    `Try its API there: ${url}/docs`,
    '',
    'See what it holds, never a token:',
    `  ${curl} ${url}/connections`,
    ...names.map((name) => `  ${curl} ${url}/connections/${name}`),
    '',
  ].join('\n');
}

function demoRequests(
  url: string,
  { helpmaster, community, oauth, issuer }: NonNullable<Running['demo']>,
  { connections }: Configuration,
  curl: string,
): readonly string[] {
  const proxied = ['wfm/system/AgentLogonReport', 'helpdesk/88/jobs/MyOpenJobs', 'orders/system/orders'].filter(
    (path) => connections[path.slice(0, path.indexOf('/'))]?.proxy !== undefined,
  );
  return [
    'HelpMaster, as the system and as staff member 88:',
    `  ${curl} ${url}/tokens/helpdesk/system`,
    `  ${curl} ${url}/tokens/helpdesk/88`,
    'CommunityWebAPI, with its attributes:',
    `  ${curl} ${url}/tokens/wfm/system`,
    'OAuth 2.0, by client credentials:',
    `  ${curl} ${url}/tokens/orders/system`,
    '',
    ...(proxied.length === 0
      ? []
      : [
          'Calls with the token placed, so that you never hold one:',
          ...proxied.map((path) => `  ${curl} ${url}/proxy/${path}`),
          '',
        ]),
    'Each token opens a call on its upstream:',
    `  TOKEN=$(${curl} ${url}/tokens/helpdesk/88 | ${TOKEN_ALONE})`,
    `  printf "Authorization: Bearer %s" "$TOKEN" | curl -s -H @- ${helpmaster.baseUrl}/jobs/MyOpenJobs`,
    `  TOKEN=$(${curl} ${url}/tokens/wfm/system | ${TOKEN_ALONE})`,
    `  printf "WFMSGAPIKEY: %s" "$TOKEN" | curl -s -H @- ${community.baseUrl}/AgentLogonReport`,
    `  TOKEN=$(${curl} ${url}/tokens/orders/system | ${TOKEN_ALONE})`,
    `  printf "Authorization: Bearer %s" "$TOKEN" | curl -s -H @- ${oauth.baseUrl}/orders`,
    '',
    "A workload's JWT, exchanged for a token (RFC 8693):",
    `  JWT=$(curl -s '${issuer.url}/__demo/token')`,
    `  printf %s "$JWT" | curl -s -d grant_type=${EXCHANGE} -d subject_token_type=${JWT_TYPE} --data-urlencode subject_token@- -d audience=helpdesk ${url}/oauth2/token`,
    '',
    'Break an upstream (GET shows every knob), ask for a token that there is not yet, and mend it:',
    `  curl -s -X PUT -d '{"loginStatus":503}' ${helpmaster.url}/__demo/knobs`,
    `  ${curl} -X DELETE ${url}/tokens/helpdesk/42; ${curl} ${url}/tokens/helpdesk/42`,
    `  curl -s -X PUT -d '{"loginStatus":null}' ${helpmaster.url}/__demo/knobs`,
    'See what it was asked:',
    `  curl -s ${helpmaster.url}/__demo/ledger`,
    '',
    `HelpMaster's Swagger UI: ${helpmaster.url}/swagger (its API key is ${demoHelpmasterSecret.apiKey}, a staff member 88)`,
  ];
}

function ownRequests(
  url: string,
  names: readonly string[],
  { connections }: Configuration,
  curl: string,
): readonly string[] {
  const requests = names.map((name) => {
    const { system, users } = connections[name]?.subjects ?? { system: true, users: false };
    const [firstUser = '<subject>'] = Array.isArray(users) ? users : [];
    return `  ${curl} ${url}/tokens/${name}/${system ? 'system' : firstUser}`;
  });
  return ['A token of each connection:', ...requests];
}
