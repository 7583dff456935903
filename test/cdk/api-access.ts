import type { Template } from 'aws-cdk-lib/assertions';
import { ACCOUNT, REGION } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';
import { judge, type RequestContext, type Statement } from './policy-simulator.ts';

/** Somebody who calls the API. */
export interface Caller {
  /** ARN of the role or user; without one the request is not signed. */
  readonly arn?: string;
  /** Statements of its own policies. */
  readonly own?: readonly Statement[];
  /** Keys beside the ARN and the account, such as `aws:PrincipalOrgID`. */
  readonly context?: RequestContext;
}

/** Statement of a broad policy that was made for all APIs of an account. */
export const EVERY_API: Statement = { Effect: 'Allow', Action: 'execute-api:*', Resource: '*' };

/** Reads the API's resource policy out of a template, its intrinsics resolved. */
export function apiPolicyOf(template: Template): readonly Statement[] {
  const [api] = Object.values(template.findResources('AWS::ApiGateway::RestApi'));
  // Templates are plain JSON; what a policy holds is judged, and an unknown part of it throws there.
  const { Statement: statements } = policiesOf(template).resolve(api?.['Properties']?.Policy) as {
    readonly Statement: readonly Statement[];
  };
  return statements;
}

/**
 * Judges a request, written as `METHOD /path`, as API Gateway does (its developer guide, "How API Gateway resource
 * policies affect authorization workflow", table B): a deny on either side wins; within the account one allow is enough;
 * from another account, and without a signature, it takes the resource policy's too.
 */
export function mayCall(template: Template, { arn, own = [], context = {} }: Caller, request: string): boolean {
  const [method, path] = request.split(' ');
  const [apiId] = Object.keys(template.findResources('AWS::ApiGateway::RestApi'));
  const ofApi = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${apiId}`;
  const account = arn?.split(':')[4];
  const asked = {
    action: 'execute-api:Invoke',
    resource: `${ofApi}/v1/${method}${path}`,
    context: {
      ...(arn !== undefined && { 'aws:PrincipalArn': arn }),
      ...(account !== undefined && { 'aws:PrincipalAccount': account }),
      ...context,
    },
  };
  const statements = apiPolicyOf(template)
    .filter(({ Principal }) => names(Principal, arn))
    .map((statement) => inFull(statement, ofApi));
  const byApi = judge(statements, asked);
  if (arn === undefined) return byApi === 'allowed';
  const byOwn = judge(own, asked);
  if (byApi === 'denied' || byOwn === 'denied') return false;
  return account === ACCOUNT ? byApi === 'allowed' || byOwn === 'allowed' : byApi === 'allowed' && byOwn === 'allowed';
}

function names(principal: unknown, arn: string | undefined): boolean {
  if (principal === '*') return true;
  const { AWS: named } = principal as { readonly AWS: string | readonly string[] };
  const account = arn?.split(':')[4];
  return [named].flat().some((each) => each === arn || each === `arn:aws:iam::${account}:root`);
}

/** Writes `execute-api:/…` out, as API Gateway does when it keeps a policy. */
function inFull({ Resource, NotResource, ...rest }: Statement, api: string): Statement {
  const full = (resources: string | readonly string[]) =>
    [resources].flat().map((resource) => resource.replace(/^execute-api:/, api));
  return {
    ...rest,
    ...(Resource !== undefined && { Resource: full(Resource) }),
    ...(NotResource !== undefined && { NotResource: full(NotResource) }),
  };
}
