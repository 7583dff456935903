import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { groupFunctionName } from '../functions/composition/environment.ts';
import { allow, requireRole } from './broker-function.ts';
import { functionPrefixOf, type GroupFunction, rolePathOf } from './names.ts';
import { invokeStatements } from './permissions.ts';

/** The ARNs of a broker's functions of isolation groups, and of their roles. */
export interface GroupArns {
  /** The function of a group. By name: a reference would have the broker's own stack wait for the nested ones. */
  functionOf(kind: GroupFunction, group: string): string;
  /** The pattern of all functions of a kind. */
  functionsOf(kind: GroupFunction): string;
  /** The pattern of the roles of all functions of a kind. */
  rolesOf(kind: GroupFunction): string;
}

/** Creates the ARNs of a broker's functions of isolation groups, which are in nested stacks. */
export function createGroupArns(scope: Construct, broker: string): GroupArns {
  const stack = Stack.of(scope);
  const functionArn = (resourceName: string): string =>
    stack.formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  return {
    functionOf: (kind, group) => functionArn(groupFunctionName(functionPrefixOf(broker, kind), group)),
    functionsOf: (kind) => functionArn(`${functionPrefixOf(broker, kind)}*`),
    rolesOf: (kind) =>
      stack.formatArn({
        service: 'iam',
        region: '',
        resource: 'role',
        resourceName: `${rolePathOf(broker, kind).slice(1)}*`,
      }),
  };
}

/** Lets a function invoke every `mint` of the broker, however many there are. */
export function allowEveryMint(target: LambdaFunction, arns: GroupArns): void {
  const { account, partition } = Stack.of(target);
  const pattern = arns.functionsOf('mint');
  allow(target, invokeStatements([pattern]));
  Validations.of(requireRole(target)).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${nameTokens(pattern, { 'AWS::AccountId': account, 'AWS::Partition': partition })}]`,
    reason: 'By the beginning of their names: by ARN, a policy holds some hundred functions.',
  });
}

/** Writes tokens by their names, as cdk-nag does. Which there are, the app's feature flags say too. */
function nameTokens(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .filter(([, value]) => Token.isUnresolved(value))
    .reduce((named, [name, value]) => named.replace(value, `<${name}>`), text);
}
