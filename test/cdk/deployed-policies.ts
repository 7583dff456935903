import type { Template } from 'aws-cdk-lib/assertions';
import { ACCOUNT, REGION } from './deployed.ts';
import { judge, type PolicyRequest, type RequestContext, type Statement } from './policy-simulator.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

const SECRET = 'AWS::SecretsManager::Secret';

/** Whoever asks: a principal of the account with policies of its own, or a service of AWS. */
interface CallingPrincipal {
  readonly arn?: string;
  readonly service?: string;
  readonly own: readonly Statement[];
}

/** The policies of a synthesized template, as IAM would judge by them. */
export interface DeployedPolicies {
  /** The ARN, or the name, that a resource gets: the one whose logical id begins so. */
  arnOf(start: string): string;
  /** True if the role's own policies and that of the resource allow the action. */
  may(role: string, action: string, resource: string, context?: RequestContext): boolean;
  /** True if the resource's policy allows the action to a principal with administrator rights in the account. */
  mayAdministrator(action: string, resource: string, context?: RequestContext): boolean;
  /** True if the resource's policy allows the action to a service of AWS, which has no policy of its own. */
  mayService(service: string, action: string, resource: string, context?: RequestContext): boolean;
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
    if (resource.Type === SECRET) return arnOfId(id);
    return String(resource.Properties?.['FunctionName'] ?? id);
  }

  function arnOfId(id: string): string {
    const { Type = '', Properties = {} } = resources[id] ?? {};
    const tails: Readonly<Record<string, string>> = {
      'AWS::IAM::Role': `iam::${ACCOUNT}:role${Properties['Path'] ?? '/'}${id}`,
      'AWS::Lambda::Function': `lambda:${REGION}:${ACCOUNT}:function:${Properties['FunctionName'] ?? id}`,
      'AWS::DynamoDB::GlobalTable': `dynamodb:${REGION}:${ACCOUNT}:table/${id}`,
      'AWS::KMS::Key': `kms:${REGION}:${ACCOUNT}:key/${id}`,
      'AWS::SecretsManager::Secret': secretArnOf(Properties['Name']).slice('arn:aws:'.length),
      'AWS::SQS::Queue': `sqs:${REGION}:${ACCOUNT}:${id}`,
      'AWS::Logs::LogGroup': `logs:${REGION}:${ACCOUNT}:log-group:${id}:*`,
      'AWS::Events::Rule': `events:${REGION}:${ACCOUNT}:rule/${id}`,
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
      const isArn = attribute === 'Arn' || (attribute === 'Id' && resources[id ?? '']?.Type === SECRET);
      return isArn ? arnOfId(id ?? '') : `${id}.${attribute}`;
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

  /** The policy that a resource itself has. */
  function policyOf(resource: string): readonly Statement[] {
    return Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) => {
      const attached: Readonly<Record<string, () => readonly [target: unknown, document: unknown]>> = {
        'AWS::KMS::Key': () => [arnOfId(id), Properties['KeyPolicy']],
        'AWS::SecretsManager::ResourcePolicy': () => [
          secretArnOf(Properties['SecretId']),
          Properties['ResourcePolicy'],
        ],
        'AWS::Lambda::ResourcePolicy': () => [resolve(Properties['ResourceArn']), Properties['PolicyDocument']],
        // Its statements name the queue.
        'AWS::SQS::QueuePolicy': () => [resource, Properties['PolicyDocument']],
      };
      const [target, document] = attached[Type]?.() ?? [];
      // A function's policy is that of its versions and aliases too.
      const isOwn = typeof target === 'string' && (resource === target || resource.startsWith(`${target}:`));
      return isOwn ? statementsIn(document) : [];
    });
  }

  /**
   * Judges as IAM does within one account: a deny on either side wins, and one allow is enough. Only a key must leave it
   * to the account.
   */
  function mayUse(principal: CallingPrincipal, request: PolicyRequest): boolean {
    const { arn, service, own } = principal;
    const context = {
      ...(arn !== undefined && { 'aws:PrincipalArn': arn, 'kms:CallerAccount': ACCOUNT }),
      'aws:PrincipalIsAWSService': String(service !== undefined),
      ...request.context,
    };
    const asked = { ...request, context };
    const ofResource = policyOf(request.resource);
    const isOfAccount = ({ Principal }: Statement) => JSON.stringify(Principal).includes(':root');
    const byResource = judge(
      ofResource.filter((each) => !isOfAccount(each) && isNamed(each, service)),
      asked,
    );
    const byOwn = judge(own, asked);
    if (byResource === 'denied' || byOwn === 'denied') return false;
    const isLeftToAccount =
      !request.action.startsWith('kms:') || judge(ofResource.filter(isOfAccount), asked) === 'allowed';
    return byResource === 'allowed' || (byOwn === 'allowed' && isLeftToAccount);
  }

  return {
    resolve,
    statementsOf,
    arnOf: (start) => arnOfId(idOf(start)),
    may(role, action, resource, context = {}) {
      return mayUse({ arn: arnOfId(idOf(`${role}Role`)), own: statementsOf(role) }, { action, resource, context });
    },
    mayAdministrator(action, resource, context = {}) {
      const own: readonly Statement[] = [{ Effect: 'Allow', Action: '*', Resource: '*' }];
      return mayUse({ arn: `arn:aws:iam::${ACCOUNT}:role/Administrator`, own }, { action, resource, context });
    },
    mayService(service, action, resource, context = {}) {
      return mayUse({ service, own: [] }, { action, resource, context });
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

/** The ARN of a secret by its name, with the six characters that AWS adds. */
function secretArnOf(name: unknown): string {
  return `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-AbCdEf`;
}

/** True if a statement of a resource's policy is about the service, or about everybody. */
function isNamed({ Principal: principal }: Statement, service: string | undefined): boolean {
  const named = JSON.stringify(principal);
  return named === '"*"' || named === '{"AWS":"*"}' || named === JSON.stringify({ Service: service });
}
