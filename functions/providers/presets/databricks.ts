import { BEARER, CLIENT, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Databricks, a service principal of a workspace; for account calls `tokenPath` is
 * `/oidc/accounts/<account>/v1/token`.
 * https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m
 * Not seen in the vendor's text: that the client's secret goes into Basic, and the scope `all-apis`.
 */
export const databricks = {
  secretFields: CLIENT,
  settings: { tokenPath: { kind: 'path', default: '/oidc/v1/token' } },
  logins: { system: [clientSecretBasic('{tokenPath}', { scope: 'all-apis' })] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
