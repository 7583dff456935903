import { CLIENT, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Shopify, for an app of one's own organisation in one's own store; one connection a shop.
 * https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
 */
export const shopify = {
  secretFields: CLIENT,
  logins: { system: [clientSecretPost('/admin/oauth/access_token')] },
  placement: { headers: { 'x-shopify-access-token': '{token}' } },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
