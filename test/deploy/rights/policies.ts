import * as z from 'zod';
import { callQuery } from '../aws-calls.ts';
import { type Environment, readResources, requireName } from '../place.ts';

const text = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const statement = z.looseObject({
  Effect: z.string(),
  Action: text,
  Resource: text,
  Condition: z.record(z.string(), z.record(z.string(), text)).optional(),
});
const document = z.looseObject({ Statement: z.array(statement) });

/** A policy of a role, as IAM has it. */
export type PolicyDocument = z.infer<typeof document>;

/** The policy of a function's role. */
export interface RolePolicy {
  /** The function's folder and, of a group's, the group: `token`, `mint-helpdesk`. */
  readonly of: string;
  readonly functionName: string;
  readonly role: string;
  readonly name: string;
  readonly document: PolicyDocument;
}

/** Reads the policies of the functions of a stack. */
export async function readPolicies(environment: Environment, stack: string): Promise<readonly RolePolicy[]> {
  const resources = await readResources(environment, stack);
  const policies: RolePolicy[] = [];
  for (const { LogicalResourceId, PhysicalResourceId: functionName, ResourceType } of resources) {
    // Those of a group are in a stack within the broker's, whose names do not begin with the broker's.
    const [, broker = '', id = ''] = /^(Broker)?(\w+?)[0-9A-F]{8}$/.exec(LogicalResourceId) ?? [];
    if (ResourceType !== 'AWS::Lambda::Function' || id === '') continue;
    const role = requireName(resources, 'AWS::IAM::Role', `${broker}${id}Role`);
    const listed = await callQuery(environment, 'iam', { Action: 'ListRolePolicies', RoleName: role });
    for (const [, name = ''] of listed.matchAll(/<member>([^<]+)<\/member>/g)) {
      const query = { Action: 'GetRolePolicy', RoleName: role, PolicyName: name };
      const found = await callQuery(environment, 'iam', query);
      const [, encoded = ''] = /<PolicyDocument>([^<]+)<\/PolicyDocument>/.exec(found) ?? [];
      const of = id.replace(/^(Mint|Proxy)/, '$1-').toLowerCase();
      policies.push({
        of,
        functionName,
        role,
        name,
        document: document.parse(JSON.parse(decodeURIComponent(encoded))),
      });
    }
  }
  return policies;
}

/** Puts a policy of a role. */
export async function putPolicy(environment: Environment, policy: RolePolicy, put: PolicyDocument): Promise<void> {
  const of = { RoleName: policy.role, PolicyName: policy.name };
  await callQuery(environment, 'iam', { Action: 'PutRolePolicy', ...of, PolicyDocument: JSON.stringify(put) });
}

/** A right of a function, and its role's policy without it. */
export interface Right {
  readonly policy: RolePolicy;
  /** What is taken away, as `dynamodb:UpdateItem: dynamodb:Attributes sk`. */
  readonly text: string;
  readonly without: PolicyDocument;
}

/** Rights that Lambda itself uses, and no call of the function's code does: the emulator writes logs without them. */
const OF_LAMBDA = /^(?:logs|ec2|xray|sqs):/;

/**
 * Lists the rights of a policy: each action of each statement, each resource of several, and each value of a condition that
 * has several. The names of resources are shortened to what stands last in them.
 */
export function listRights(policy: RolePolicy): readonly Right[] {
  return policy.document.Statement.flatMap((each, index) => {
    if (each.Effect !== 'Allow' || each.Action.every((action) => OF_LAMBDA.test(action))) return [];
    const change = (changed: Partial<typeof each> | undefined): PolicyDocument => ({
      ...policy.document,
      Statement: policy.document.Statement.flatMap((one, at) => {
        if (at !== index) return [one];
        return changed === undefined ? [] : [{ ...one, ...changed }];
      }),
    });
    const actions = each.Action.map((action) => ({
      policy,
      text: each.Resource.length === 1 ? `${action} on ${shorten(each.Resource[0])}` : action,
      without: change(without(each.Action, action) && { Action: without(each.Action, action) ?? [] }),
    }));
    const resources = each.Resource.length === 1 ? [] : each.Resource;
    const named = each.Action.join(', ');
    return [
      ...actions,
      ...resources.map((resource) => ({
        policy,
        text: `${named} on ${shorten(resource)}`,
        without: change({ Resource: each.Resource.filter((one) => one !== resource) }),
      })),
      ...Object.entries(each.Condition ?? {}).flatMap(([operator, keys]) =>
        Object.entries(keys).flatMap(([key, values]) =>
          (values.length === 1 ? [] : values).map((value) => ({
            policy,
            text: `${named}: ${key} ${value}`,
            without: change({
              Condition: {
                ...each.Condition,
                [operator]: { ...keys, [key]: values.filter((one) => one !== value) },
              },
            }),
          })),
        ),
      ),
    ];
  });
}

function without(values: readonly string[], value: string): string[] | undefined {
  return values.length === 1 ? undefined : values.filter((one) => one !== value);
}

/** Shortens an ARN to what a reader knows it by: CloudFormation's own letters at the end of a name say nothing. */
function shorten(arn = ''): string {
  if (arn.includes(':key/')) return 'the key';
  const {
    table,
    index,
    name = arn,
  } = /:table\/(?:.*Broker(?<table>[A-Za-z]+?)[0-9A-F]{8}.*?)(?:\/index\/(?<index>\w+))?$|:(?<name>[^:]+?)(?:-\w{6})?$/.exec(
    arn,
  )?.groups ?? {};
  return table === undefined ? name : `the table ${table}${index === undefined ? '' : `, index ${index}`}`;
}
