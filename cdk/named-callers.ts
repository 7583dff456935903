import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { CallerNames } from './api-policy.ts';

const ARN_ACCOUNT = /^arn:[^:]*:iam::([0-9]{12}):/;

/** Finds the account of a principal; undefined where it is not known at synth. */
export function findAccount(principal: iam.IPrincipal): string | undefined {
  const { principalAccount } = principal;
  if (principalAccount !== undefined) return Token.isUnresolved(principalAccount) ? undefined : principalAccount;
  return arnsOf(principal).map((arn) => ARN_ACCOUNT.exec(arn)?.[1])[0];
}

/**
 * Names the principal of a grant as a caller of the API. Throws for one that the API's policy cannot name, unless the
 * operator names callers by himself: a group, which never calls; and a principal of another stack without a known name,
 * since each of two stacks would need the other first.
 */
export function nameCaller(callers: CallerNames, principal: iam.IPrincipal, scope: Construct): void {
  if (principal instanceof iam.AccountPrincipal) {
    callers.add(String(principal.accountId));
    return;
  }
  const arns = arnsOf(principal);
  const isElsewhere = Construct.isConstruct(principal) && Stack.of(principal) !== Stack.of(scope);
  const isNameable = !(principal instanceof iam.Group) && !(isElsewhere && arns.some((arn) => Token.isUnresolved(arn)));
  if (isNameable) {
    for (const arn of arns) if (arn !== '*') callers.add(arn);
    return;
  }
  if (callers.areGiven) return;
  throw new Error(
    `The API lets in only whom its policy names, and it cannot name ${principal}: a group, or a role of another stack, whose name is not known here. Say who it is in the broker's \`callers\`, as in \`callers: ['arn:aws:iam::111122223333:role/reporting-*']\`.`,
  );
}

function arnsOf({ policyFragment: { principalJson } }: iam.IPrincipal): readonly string[] {
  return principalJson['AWS'] ?? [];
}
