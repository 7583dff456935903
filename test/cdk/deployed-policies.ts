import type { Template } from 'aws-cdk-lib/assertions';
import { ACCOUNT, REGION } from './deployed.ts';
import { judge, type PolicyRequest, type RequestContext, type Statement } from './policy-simulator.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** The policies of a synthesized template, as IAM would judge by them. */
export interface DeployedPolicies {
  /** The ARN, or the name, that a resource gets: the one whose logical id begins so. */
  arnOf(start: string): string;
  /** True if the role's own policies, and the key policy for a key, allow the action. */
  may(role: string, action: string, resource: string, context?: RequestContext): boolean;
  /** True if the key policy allows the action to a principal with administrator rights in the account. */
  mayAdministrator(action: string, keyArn: string, context: RequestContext): boolean;
  /** True if the service may assume the role. */
  mayAssume(role: string, service: string, context: RequestContext): boolean;
  /** Every statement of a role. */
  statementsOf(role: string): readonly Statement[];
  /** Replaces intrinsics by what AWS would put there. */
  resolve(value: unknown): unknown;
}

/** Reads the policies out of a template. Roles and resources go by the beginning of their logical id, without `Broker`. */
export function policiesOf(template: Template): DeployedPolicies {
  const resources = template.toJSON()['Resources'] as Readonly<Record<string, Resource>>;

  function idOf(start: string, isWanted: (resource: Resource) => boolean = () => true): string {
    const wanted = new RegExp(`^(?:Broker)?${start}(?:[0-9A-F]{8})?$`);
    const found = Object.entries(resources).filter(([id, resource]) => wanted.test(id) && isWanted(resource));
    const [first] = found;
    if (first === undefined || found.length > 1) throw new Error(`${found.length} resources are named ${start}.`);
    return first[0];
  }

  function referenceTo(id: string): string {
    const pseudo: Readonly<Record<string, string>> = {
      'AWS::Partition': 'aws',
      'AWS::AccountId': ACCOUNT,
      'AWS::Region': REGION,
      'AWS::URLSuffix': 'amazonaws.com',
    };
    const resource = resources[id];
    if (resource === undefined) return pseudo[id] ?? id;
    if (resource.Type === 'AWS::SecretsManager::Secret') return arnOfId(id);
    return String(resource.Properties?.['FunctionName'] ?? id);
  }

  function arnOfId(id: string): string {
    const { Type = '', Properties = {} } = resources[id] ?? {};
    const tails: Readonly<Record<string, string>> = {
      'AWS::IAM::Role': `iam::${ACCOUNT}:role/${id}`,
      'AWS::Lambda::Function': `lambda:${REGION}:${ACCOUNT}:function:${Properties['FunctionName'] ?? id}`,
      'AWS::DynamoDB::GlobalTable': `dynamodb:${REGION}:${ACCOUNT}:table/${id}`,
      'AWS::KMS::Key': `kms:${REGION}:${ACCOUNT}:key/${id}`,
      'AWS::SecretsManager::Secret': `secretsmanager:${REGION}:${ACCOUNT}:secret:${Properties['Name']}-AbCdEf`,
      'AWS::SQS::Queue': `sqs:${REGION}:${ACCOUNT}:${id}`,
      'AWS::Logs::LogGroup': `logs:${REGION}:${ACCOUNT}:log-group:${id}:*`,
      'AWS::Scheduler::ScheduleGroup': `scheduler:${REGION}:${ACCOUNT}:schedule-group/${id}`,
    };
    const tail = tails[Type];
    if (tail === undefined) throw new Error(`The simulator knows no ARN of ${id}, a ${Type}.`);
    return `arn:aws:${tail}`;
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const [[key, argument] = ['', undefined], ...others] = Object.entries(value);
    if (others.length === 0 && key === 'Ref') return referenceTo(String(argument));
    if (others.length === 0 && key === 'Fn::GetAtt' && Array.isArray(argument)) {
      const [id, attribute] = argument.map(String);
      return attribute === 'Arn' ? arnOfId(id ?? '') : `${id}.${attribute}`;
    }
    if (others.length === 0 && key === 'Fn::Join' && Array.isArray(argument)) {
      const parts = resolve(argument[1]);
      return Array.isArray(parts) ? parts.join(String(argument[0])) : '';
    }
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each)]));
  }

  /** Templates are plain JSON; what a policy document holds is judged, and an unknown part of it throws there. */
  function statementsIn(document: unknown): readonly Statement[] {
    return (resolve(document) as { readonly Statement: readonly Statement[] }).Statement;
  }

  function statementsOf(role: string): readonly Statement[] {
    const id = idOf(`${role}Role`);
    return Object.values(resources)
      .filter(
        ({ Type, Properties }) =>
          Type === 'AWS::IAM::Policy' && JSON.stringify(Properties?.['Roles']).includes(`"${id}"`),
      )
      .flatMap(({ Properties }) => statementsIn(Properties?.['PolicyDocument']));
  }

  function keyStatements(): {
    readonly ofAccount: readonly Statement[];
    readonly ofAll: readonly Statement[];
  } {
    const all = statementsIn(resources[idOf('Key')]?.Properties?.['KeyPolicy']);
    const isOfAccount = ({ Principal }: Statement) => JSON.stringify(Principal).includes(':root');
    return { ofAccount: all.filter(isOfAccount), ofAll: all.filter((each) => !isOfAccount(each)) };
  }

  /** A key is used where its policy lets the account decide and the account allows it, or by what the policy itself allows. */
  function mayUseKey(own: readonly Statement[], request: PolicyRequest, principalArn: string): boolean {
    const context = { 'aws:PrincipalArn': principalArn, 'kms:CallerAccount': ACCOUNT, ...request.context };
    const asked = { ...request, context };
    const { ofAccount, ofAll } = keyStatements();
    // A key policy's `*` is the key itself.
    const byKey = judge(ofAll, asked);
    const byAccount = judge(own, asked);
    if (byKey === 'denied' || byAccount === 'denied') return false;
    return byKey === 'allowed' || (byAccount === 'allowed' && judge(ofAccount, asked) === 'allowed');
  }

  return {
    resolve,
    statementsOf,
    arnOf: (start) => arnOfId(idOf(start)),
    may(role, action, resource, context = {}) {
      const request = { action, resource, context };
      const roleArn = arnOfId(idOf(`${role}Role`));
      if (action.startsWith('kms:')) return mayUseKey(statementsOf(role), request, roleArn);
      return judge(statementsOf(role), request) === 'allowed';
    },
    mayAdministrator(action, keyArn, context) {
      const all: Statement = { Effect: 'Allow', Action: '*', Resource: '*' };
      return mayUseKey([all], { action, resource: keyArn, context }, `arn:aws:iam::${ACCOUNT}:role/Administrator`);
    },
    mayAssume(role, service, context) {
      const trust = statementsIn(resources[idOf(`${role}Role`)]?.Properties?.['AssumeRolePolicyDocument']);
      const ofService = trust.filter(
        ({ Principal }) => JSON.stringify(Principal) === JSON.stringify({ Service: service }),
      );
      return judge(ofService, { action: 'sts:AssumeRole', resource: '', context }) === 'allowed';
    },
  };
}
