import * as z from 'zod';
import { callQuery } from '../aws-calls.ts';
import { type Environment, readResources } from '../place.ts';

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

/** The policy of a function's role, or of the schedule's. */
export interface RolePolicy {
  /** The function's folder and, of a group's, the group: `token`, `mint-helpdesk`; or `schedule`. */
  readonly of: string;
  readonly functionName?: string;
  readonly role: string;
  readonly name: string;
  readonly document: PolicyDocument;
}

/** The role of a function or of the schedule, in a template or as it is deployed. */
interface RoleIn {
  /** The beginning of the logical ids of the role and of its function, without the broker's. */
  readonly id: string;
  readonly of: string;
  readonly logicalId: string;
}

/** Finds the roles of the functions, and of the schedule, among resources by logical id. */
export function rolesIn(resources: Readonly<Record<string, { readonly Type: string }>>): readonly RoleIn[] {
  const ids = Object.keys(resources);
  return ids.flatMap((logicalId) => {
    // Those of a group are in a stack within the broker's, whose names do not begin with the broker's.
    const [, broker = '', id = ''] = /^(Broker)?(\w+?)Role[0-9A-F]{8}$/.exec(logicalId) ?? [];
    const isOfFunction = ids.some((each) => new RegExp(`^${broker}${id}[0-9A-F]{8}$`).test(each));
    if (resources[logicalId]?.Type !== 'AWS::IAM::Role' || !(isOfFunction || id === 'Schedule')) return [];
    return [{ id, of: id.replace(/^(Mint|Proxy)/, '$1-').toLowerCase(), logicalId }];
  });
}

/** Reads the policies of the functions of a stack, and of its schedule. */
export async function readPolicies(environment: Environment, stack: string): Promise<readonly RolePolicy[]> {
  const resources = await readResources(environment, stack);
  const byId = new Map(resources.map((each) => [each.LogicalResourceId, each]));
  const types = Object.fromEntries(resources.map((each) => [each.LogicalResourceId, { Type: each.ResourceType }]));
  const policies: RolePolicy[] = [];
  for (const { of, logicalId } of rolesIn(types)) {
    const role = byId.get(logicalId)?.PhysicalResourceId ?? '';
    const itsFunction = resources.find(
      ({ LogicalResourceId: id, ResourceType }) =>
        ResourceType === 'AWS::Lambda::Function' && id.slice(0, -8) === logicalId.slice(0, -'Role'.length - 8),
    );
    const listed = await callQuery(environment, 'iam', { Action: 'ListRolePolicies', RoleName: role });
    for (const [, name = ''] of listed.matchAll(/<member>([^<]+)<\/member>/g)) {
      const query = { Action: 'GetRolePolicy', RoleName: role, PolicyName: name };
      const found = await callQuery(environment, 'iam', query);
      const [, encoded = ''] = /<PolicyDocument>([^<]+)<\/PolicyDocument>/.exec(found) ?? [];
      const document = parsePolicy(JSON.parse(decodeURIComponent(encoded)));
      policies.push({ of, role, name, document, ...(itsFunction && { functionName: itsFunction.PhysicalResourceId }) });
    }
  }
  return policies;
}

/** Checks that a value is a policy, and gives it with each action and resource in a list. */
export function parsePolicy(value: unknown): PolicyDocument {
  return document.parse(value);
}

/** Puts a policy of a role. */
export async function putPolicy(environment: Environment, policy: RolePolicy, put: PolicyDocument): Promise<void> {
  const of = { RoleName: policy.role, PolicyName: policy.name };
  await callQuery(environment, 'iam', { Action: 'PutRolePolicy', ...of, PolicyDocument: JSON.stringify(put) });
}

/** A right of a role, and its policy without it. */
export interface Right<Policy = RolePolicy> {
  readonly policy: Policy;
  /** What is taken away, as `dynamodb:UpdateItem: dynamodb:Attributes sk`. */
  readonly text: string;
  readonly without: PolicyDocument;
}

/**
 * Lists the rights of a policy: each action of each statement, each resource of several, and each value of a condition that
 * has several. The names of resources are shortened to what stands last in them.
 */
export function listRights<Policy extends Pick<RolePolicy, 'of' | 'document'>>(
  policy: Policy,
): readonly Right<Policy>[] {
  return policy.document.Statement.flatMap((each, index) => {
    if (each.Effect !== 'Allow') return [];
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

/** What a reader knows a resource by: CloudFormation's own letters at the end of a name say nothing. */
const KNOWN: readonly (readonly [arn: RegExp, name: (found: string, more?: string) => string])[] = [
  [/:key\//, () => 'the key'],
  [/:log-group:/, () => 'its log'],
  [/:sqs:/, () => 'the queue of what could not be done'],
  [/:function:.*Broker([A-Za-z]+?)[0-9A-F]{8}/, (name) => name.toLowerCase()],
  [/:table\/.*Broker([A-Za-z]+?)[0-9A-F]{8}.*\/index\/(\w+)$/, (name, index) => `the table ${name}, index ${index}`],
  [/:table\/.*Broker([A-Za-z]+?)[0-9A-F]{8}/, (name) => `the table ${name}`],
  [/:([^:]+?)$/, (name) => name],
];

function shorten(arn = ''): string {
  for (const [pattern, name] of KNOWN) {
    const [all, found = '', more] = pattern.exec(arn) ?? [];
    if (all !== undefined) return name(found, more);
  }
  return arn;
}
