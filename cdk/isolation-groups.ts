import { type NestedStack, Stack, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { groupFunctionName, VARIABLES } from '../functions/composition/environment.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { takesCandidates } from '../functions/core/slot/candidate.ts';
import type { Connection } from '../functions/core/slot/connection.ts';
import { API_TIMEOUT_SECONDS, allow, type BrokerFunctionProps, NEVER_AGAIN, requireRole } from './broker-function.ts';
import { type ConcurrencyProps, keepExecutions } from './concurrency.ts';
import { createGroupStacks } from './group-stacks.ts';
import { functionPrefixOf, type GroupFunction, rolePathOf } from './names.ts';
import { invokeStatements, mintStatements, type Places, proxyStatements } from './permissions.ts';
import {
  closeSecret,
  keepSecretStatements,
  makeKeptSecret,
  makeSecret,
  readSecretStatements,
  secretArnOf,
} from './secrets.ts';

const MINT_TIMEOUT_SECONDS = 20;
/** Longest description of a function that Lambda accepts. */
const LONGEST_DESCRIPTION = 256;

/** Makes a function of the broker in a stack of it, with what all of them have. */
export type MakeFunction = (
  scope: Construct,
  id: string,
  own: Omit<BrokerFunctionProps, 'codeOf' | 'logRetention'>,
) => LambdaFunction;

/** The functions of one isolation group. */
export interface IsolationGroup {
  /** Names of its connections. */
  readonly connections: readonly string[];
  readonly mint: LambdaFunction;
  /** The proxy function; present only where one of the connections declares a proxy. */
  readonly proxy: LambdaFunction | undefined;
}

/**
 * Creates the functions of the isolation groups, by group: `mint`, and `proxy` where a connection declares one. The
 * functions are in nested stacks, the secrets in the broker's own. A group's functions touch only the items of its
 * connections, and run in the VPC that these name; only its `mint` reads their secrets.
 */
export function createIsolationGroups(
  scope: Construct,
  props: {
    readonly configuration: Configuration;
    readonly places: Places;
    readonly make: MakeFunction;
    readonly vpcs?: Readonly<Record<string, ec2.IVpc>>;
    readonly secretKeys?: Readonly<Record<string, kms.IKey>>;
  } & Pick<ConcurrencyProps, 'mintConcurrency' | 'proxyConcurrency'>,
): ReadonlyMap<string, IsolationGroup> {
  const { places, make, secretKeys = {} } = props;
  const { madeSecrets } = props.configuration;
  const networkOf = createNetworks(scope, props.vpcs ?? {});
  const stackOf = createGroupStacks(scope);
  const groups = Map.groupBy(Object.values(props.configuration.connections), ({ isolation }) => isolation);

  /** Makes the secrets of a connection, closes them to all but its mint, and gives the statements to use them. */
  function secretStatements(nested: NestedStack, connection: Connection, readerArn: string): iam.PolicyStatement[] {
    const { name, secret, keptSecret } = connection;
    const key = secretKeys[name];
    // A secret that the operator named may have other readers, and a policy of its own.
    if (madeSecrets.includes(name)) {
      nested.nestedStackResource?.addResourceDependency(makeSecret(scope, connection));
      closeSecret(nested, `SecretPolicy-${name}`, { secret, readerArn });
    }
    const read = readSecretStatements(secretArnOf(nested, secret), key, takesCandidates(connection));
    if (keptSecret === undefined) return read;
    nested.nestedStackResource?.addResourceDependency(makeKeptSecret(scope, name, keptSecret, key));
    closeSecret(nested, `KeptSecretPolicy-${name}`, { secret: keptSecret, readerArn });
    return [...read, ...keepSecretStatements(secretArnOf(nested, keptSecret), key)];
  }

  function makeFunction(
    kind: GroupFunction,
    group: string,
    own: Omit<BrokerFunctionProps, 'codeOf' | 'logRetention' | 'folder'>,
  ): LambdaFunction {
    return make(stackOf(group), kind === 'mint' ? `Mint-${group}` : `Proxy-${group}`, {
      ...own,
      folder: kind,
      functionName: groupFunctionName(functionPrefixOf(places.broker, kind), group),
      rolePath: rolePathOf(places.broker, kind),
    });
  }

  function makeMint(group: string, connections: readonly Connection[], own: GroupOptions): LambdaFunction {
    const mint = makeFunction('mint', group, {
      ...own,
      description: `Gets tokens for ${namesOf(connections).join(', ')}`.slice(0, LONGEST_DESCRIPTION),
      timeoutSeconds: MINT_TIMEOUT_SECONDS,
      ...keepExecutions(props.mintConcurrency),
    });
    allow(mint, mintStatements(places, connections));
    const readerArn = requireRole(mint).roleArn;
    for (const connection of connections) allow(mint, secretStatements(stackOf(group), connection, readerArn));
    // An invocation that nobody waits for any more must not log in later.
    mint.configureAsyncInvoke(NEVER_AGAIN);
    Validations.of(mint).acknowledge({
      id: 'Serverless-LambdaAsyncFailureDestination',
      reason:
        'A reader with a good token asks for a refresh and forgets: the next reader, or the schedule, asks again.',
    });
    return mint;
  }

  function makeProxy(
    group: string,
    connections: readonly Connection[],
    own: GroupOptions,
    mint: LambdaFunction,
  ): LambdaFunction {
    const proxy = makeFunction('proxy', group, {
      ...own,
      description: `Forwards to ${namesOf(connections).join(', ')}`.slice(0, LONGEST_DESCRIPTION),
      timeoutSeconds: API_TIMEOUT_SECONDS,
      keepsLog: true,
      ...keepExecutions(props.proxyConcurrency),
    });
    allow(proxy, [...proxyStatements(places, namesOf(connections)), ...invokeStatements([mint.functionArn])]);
    return proxy;
  }

  const made = [...groups].map(([group, connections]) => {
    const network = networkOf(group, connections[0]);
    const own = {
      environment: { [VARIABLES.isolation]: group },
      ...(network === undefined ? {} : { network }),
    };
    const mint = makeMint(group, connections, own);
    const proxied = connections.filter(({ proxy }) => proxy !== undefined);
    const proxy = proxied.length === 0 ? undefined : makeProxy(group, proxied, own, mint);
    return [group, { connections: namesOf(connections), mint, proxy }] as const;
  });
  return new Map(made);
}

type GroupOptions = Pick<BrokerFunctionProps, 'environment' | 'network'>;

function namesOf(connections: readonly Connection[]): string[] {
  return connections.map(({ name }) => name);
}

/** Finds the VPC and the security groups that a group's connections name; all of one group name the same. */
function createNetworks(scope: Construct, given: Readonly<Record<string, ec2.IVpc>>) {
  const found = new Map<string, ec2.IVpc>(Object.entries(given));

  function vpcOf(vpcId: string): ec2.IVpc {
    const known = found.get(vpcId);
    if (known !== undefined) return known;
    const { account } = Stack.of(scope);
    if (Token.isUnresolved(account)) {
      throw new Error(
        `A connection names the VPC ${vpcId}, whose subnets must be looked up: give the stack an account, as in \`env: { account: '111122223333', region: … }\`, or the broker the VPC in \`vpcs\`.`,
      );
    }
    const vpc = ec2.Vpc.fromLookup(scope, `Vpc-${vpcId}`, { vpcId });
    found.set(vpcId, vpc);
    return vpc;
  }

  return (group: string, connection: Connection | undefined): BrokerFunctionProps['network'] => {
    if (connection?.vpc === undefined) return undefined;
    const securityGroups = connection.securityGroups?.map((id) =>
      ec2.SecurityGroup.fromSecurityGroupId(scope, `SecurityGroup-${group}-${id}`, id, { mutable: false }),
    );
    const vpc = vpcOf(connection.vpc);
    return securityGroups === undefined ? { vpc } : { vpc, securityGroups };
  };
}
