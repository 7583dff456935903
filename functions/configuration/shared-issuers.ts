/** An issuer whose workloads belong to many owners, strangers to each other. */
export interface SharedIssuer {
  readonly name: string;
  /** Claims that name an owner, or what it owns, by an id that nobody else can have. */
  readonly ownerClaims: readonly string[];
  /** The subject itself is such an id. */
  readonly subjectIsId?: true;
  /** Number of the subject's segments, between `:` and `/`, that name the owner. */
  readonly ownerSegments?: readonly number[];
}

const GITHUB: SharedIssuer = {
  name: 'GitHub Actions',
  ownerClaims: ['repository_owner_id', 'repository_id', 'enterprise_id'],
  ownerSegments: [1],
};
const GITLAB: SharedIssuer = { name: 'GitLab', ownerClaims: ['namespace_id', 'project_id'], ownerSegments: [1] };
const GOOGLE: SharedIssuer = { name: 'Google', ownerClaims: ['azp'], subjectIsId: true };
const ENTRA: SharedIssuer = { name: 'Azure', ownerClaims: ['tid', 'oid', 'appid', 'azp'] };
const AZURE_DEVOPS: SharedIssuer = { name: 'Azure DevOps', ownerClaims: ['org_id', 'prj_id'] };
const TERRAFORM: SharedIssuer = {
  name: 'Terraform Cloud',
  ownerClaims: ['terraform_organization_id', 'terraform_project_id', 'terraform_workspace_id'],
  ownerSegments: [1],
};
const CIRCLECI: SharedIssuer = {
  name: 'CircleCI',
  ownerClaims: ['oidc.circleci.com/org-id', 'oidc.circleci.com/project-id'],
  ownerSegments: [1],
};
const BUILDKITE: SharedIssuer = {
  name: 'Buildkite',
  ownerClaims: ['organization_id', 'pipeline_id'],
  ownerSegments: [1],
};
const BITBUCKET: SharedIssuer = {
  name: 'Bitbucket',
  ownerClaims: ['workspaceUuid', 'repositoryUuid'],
  ownerSegments: [0],
};

const VERCEL: SharedIssuer = { name: 'Vercel', ownerClaims: ['owner_id', 'project_id'], ownerSegments: [1] };

const sharedByHost: ReadonlyMap<string, SharedIssuer> = new Map([
  ['token.actions.githubusercontent.com', GITHUB],
  ['gitlab.com', GITLAB],
  ['accounts.google.com', GOOGLE],
  ['login.microsoftonline.com', ENTRA],
  ['login.microsoftonline.us', ENTRA],
  ['login.partner.microsoftonline.cn', ENTRA],
  ['sts.windows.net', ENTRA],
  ['vstoken.dev.azure.com', AZURE_DEVOPS],
  ['app.terraform.io', TERRAFORM],
  ['app.eu.terraform.io', TERRAFORM],
  ['oidc.circleci.com', CIRCLECI],
  ['agent.buildkite.com', BUILDKITE],
  ['api.bitbucket.org', BITBUCKET],
  ['oidc.vercel.com', VERCEL],
]);

/** Finds the shared issuer that a URL names; undefined for one that belongs to a single owner. */
export function findSharedIssuer(issuer: string): SharedIssuer | undefined {
  // A name with a dot behind it is the same name to DNS.
  return URL.canParse(issuer) ? sharedByHost.get(new URL(issuer).hostname.replace(/\.$/, '')) : undefined;
}
