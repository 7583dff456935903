import { adobe } from './presets/adobe.ts';
import { adp } from './presets/adp.ts';
import { amazonSpApi } from './presets/amazon-sp-api.ts';
import { appStoreConnect } from './presets/app-store-connect.ts';
import { auth0Management } from './presets/auth0-management.ts';
import { bill } from './presets/bill.ts';
import { box } from './presets/box.ts';
import { boxRefreshToken } from './presets/box-refresh-token.ts';
import { communityWebApi } from './presets/community-web-api.ts';
import { crowdstrike } from './presets/crowdstrike.ts';
import { databricks } from './presets/databricks.ts';
import { docusign } from './presets/docusign.ts';
import { entraClientSecret } from './presets/entra-client-secret.ts';
import { epicFhir } from './presets/epic-fhir.ts';
import { fedex } from './presets/fedex.ts';
import { githubApp } from './presets/github-app.ts';
import { gitlab } from './presets/gitlab.ts';
import { googleServiceAccount } from './presets/google-service-account.ts';
import { helpmaster } from './presets/helpmaster.ts';
import { ibmCloudIam } from './presets/ibm-cloud-iam.ts';
import { jwtBearerGrant } from './presets/jwt-bearer.ts';
import { loginForm } from './presets/login-form.ts';
import { loginJson } from './presets/login-json.ts';
import { looker } from './presets/looker.ts';
import { marketo } from './presets/marketo.ts';
import { metabase } from './presets/metabase.ts';
import { netsuiteM2m } from './presets/netsuite-m2m.ts';
import { oauthCertificateBound } from './presets/oauth-certificate-bound.ts';
import { oauthClientCredentials } from './presets/oauth-client-credentials.ts';
import { oauthClientCredentialsBasic } from './presets/oauth-client-credentials-basic.ts';
import { oauthPrivateKeyJwt } from './presets/oauth-private-key-jwt.ts';
import { oauthRefreshToken } from './presets/oauth-refresh-token.ts';
import { oauthRefreshTokenBasic } from './presets/oauth-refresh-token-basic.ts';
import { oauthTlsClientAuth } from './presets/oauth-tls-client-auth.ts';
import { oktaServiceApp } from './presets/okta-service-app.ts';
import { paypal } from './presets/paypal.ts';
import { quickbooks } from './presets/quickbooks.ts';
import { sageIntacctXml } from './presets/sage-intacct-xml.ts';
import { salesforceClientCredentials } from './presets/salesforce-client-credentials.ts';
import { salesforceJwt } from './presets/salesforce-jwt.ts';
import { salesforceMarketingCloud } from './presets/salesforce-marketing-cloud.ts';
import { sapBtpXsuaa } from './presets/sap-btp-xsuaa.ts';
import { sapBusinessOne } from './presets/sap-business-one.ts';
import { servicenow } from './presets/servicenow.ts';
import { shopify } from './presets/shopify.ts';
import { snowflake } from './presets/snowflake.ts';
import { tableau } from './presets/tableau.ts';
import { toast } from './presets/toast.ts';
import { ukgProWfm } from './presets/ukg-pro-wfm.ts';
import { veevaVault } from './presets/veeva-vault.ts';
import { wisePlatform } from './presets/wise-platform.ts';
import { workday } from './presets/workday.ts';
import { xeroCustomConnection } from './presets/xero-custom-connection.ts';
import { zoho } from './presets/zoho.ts';
import { zoom } from './presets/zoom.ts';
import type { Provider } from './provider.ts';

const presets = {
  helpmaster,
  'community-web-api': communityWebApi,
  'oauth-client-credentials': oauthClientCredentials,
  'oauth-client-credentials-basic': oauthClientCredentialsBasic,
  'oauth-private-key-jwt': oauthPrivateKeyJwt,
  'oauth-tls-client-auth': oauthTlsClientAuth,
  'oauth-certificate-bound': oauthCertificateBound,
  'oauth-refresh-token': oauthRefreshToken,
  'oauth-refresh-token-basic': oauthRefreshTokenBasic,
  'jwt-bearer': jwtBearerGrant,
  'login-json': loginJson,
  'login-form': loginForm,
  'entra-client-secret': entraClientSecret,
  'google-service-account': googleServiceAccount,
  'github-app': githubApp,
  'salesforce-jwt': salesforceJwt,
  'salesforce-client-credentials': salesforceClientCredentials,
  servicenow,
  workday,
  'sap-btp-xsuaa': sapBtpXsuaa,
  'netsuite-m2m': netsuiteM2m,
  'okta-service-app': oktaServiceApp,
  'auth0-management': auth0Management,
  zoom,
  adobe,
  marketo,
  'salesforce-marketing-cloud': salesforceMarketingCloud,
  shopify,
  paypal,
  docusign,
  box,
  'xero-custom-connection': xeroCustomConnection,
  zoho,
  'amazon-sp-api': amazonSpApi,
  fedex,
  adp,
  'ukg-pro-wfm': ukgProWfm,
  'wise-platform': wisePlatform,
  crowdstrike,
  databricks,
  snowflake,
  'app-store-connect': appStoreConnect,
  'ibm-cloud-iam': ibmCloudIam,
  looker,
  tableau,
  toast,
  'veeva-vault': veevaVault,
  'sap-business-one': sapBusinessOne,
  'sage-intacct-xml': sageIntacctXml,
  bill,
  'epic-fhir': epicFhir,
  metabase,
  'box-refresh-token': boxRefreshToken,
  gitlab,
  quickbooks,
} as const satisfies Providers;

/** Providers by the name that a connection's `provider` key gives. */
export type Providers = Readonly<Record<string, Provider>>;

type PresetTable = typeof presets;
/** The type of the table, which tells the compiler the keys that each provider's connections have. */
export interface Presets extends PresetTable {}

/** Every preset, by name. */
export const providers: Providers & Presets = presets;

/** The provider of that name, or undefined. */
export function providerOf(name: unknown, among: Providers = providers): Provider | undefined {
  return typeof name === 'string' && Object.hasOwn(among, name) ? among[name] : undefined;
}
