import * as iam from 'aws-cdk-lib/aws-iam';
import { type Alias, CfnResourcePolicy, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';

/** Those who invoke a function of the broker; nobody else can, administrators included. */
export interface Invokers {
  /** ARNs of roles. Their own policies must allow it too. */
  readonly roleArns?: readonly string[];
  /** A service of AWS that acts for one resource, or for those of a pattern. */
  readonly service?: { readonly principal: string; readonly sourceArn: string };
}

/** By its ARN, and by the address that somebody might make for it. */
const INVOCATIONS = ['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl'];

/**
 * Closes a function to everybody but its invokers. It is the function's whole resource policy, so nothing else may
 * give a permission on it: `AWS::Lambda::Permission` would be overwritten.
 */
export function closeFunction(target: LambdaFunction, invokers: Invokers): void {
  // Versions and aliases are closed with the function.
  close(target, [target.functionArn, `${target.functionArn}:*`], invokers);
}

/** Closes an alias in the same way: AWS says that a policy is of the one function, version or alias that it is attached to. */
export function closeAlias(target: Alias, invokers: Invokers): CfnResourcePolicy {
  return close(target, [target.functionArn], invokers);
}

function close(
  { functionArn, node }: LambdaFunction | Alias,
  resources: string[],
  { roleArns = [], service }: Invokers,
): CfnResourcePolicy {
  const allowed =
    service === undefined
      ? []
      : [
          new iam.PolicyStatement({
            sid: 'ItsServiceInvokes',
            principals: [new iam.ServicePrincipal(service.principal)],
            actions: ['lambda:InvokeFunction'],
            resources,
            conditions: { ArnLike: { 'aws:SourceArn': service.sourceArn } },
          }),
        ];
  const nobodyElse = new iam.PolicyStatement({
    sid: 'NobodyElseInvokes',
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: INVOCATIONS,
    resources,
    conditions: {
      ...(roleArns.length === 0 ? {} : { ArnNotEquals: { 'aws:PrincipalArn': roleArns } }),
      // A service has no ARN, and a negated operator holds without its key. Without an Allow it is refused all the same.
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
    },
  });
  const scope = node.scope;
  if (scope === undefined) throw new Error('A function is made inside a stack.');
  return new CfnResourcePolicy(scope, `${node.id}-Invokers`, {
    resourceArn: functionArn,
    policyDocument: new iam.PolicyDocument({ statements: [...allowed, nobodyElse] }),
  });
}
