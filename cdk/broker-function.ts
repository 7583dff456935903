import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { BUILT_HANDLER, type CodeOf, type FunctionFolder } from './function-code.ts';
import { vpcStatement } from './permissions.ts';

const MEMORY_MB = 512;

/** Async invoke settings: no retries, discard after 60 s. */
export const NEVER_AGAIN = { retryAttempts: 0, maxEventAge: Duration.seconds(60) };

/** Seconds; below the 29 that API Gateway waits (invariant 14). */
export const API_TIMEOUT_SECONDS = 27;

/** Properties of one function of the broker. */
export interface BrokerFunctionProps {
  readonly folder: FunctionFolder;
  readonly codeOf: CodeOf;
  readonly description: string;
  /** Seconds. Invariant 14: mint 20, functions behind the API 27. */
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly logRetention: logs.RetentionDays;
  /** True where the log outlives the stack: it does where it holds the audit. */
  readonly keepsLog?: boolean;
  /** True where X-Ray samples its invocations. */
  readonly tracing?: boolean;
  readonly functionName?: string;
  /** Path of its role. Default `/`. */
  readonly rolePath?: string;
  readonly reservedConcurrency?: number;
  readonly network?: { readonly vpc: ec2.IVpc; readonly securityGroups?: ec2.ISecurityGroup[] };
}

/**
 * Creates a function on arm64 and Node 24, a role that may do no more than write to the function's own log, and that log.
 */
export function createBrokerFunction(scope: Construct, id: string, props: BrokerFunctionProps): lambda.Function {
  const { folder, network, functionName, reservedConcurrency } = props;
  const logGroup = new logs.LogGroup(scope, `${id}-Log`, {
    retention: props.logRetention,
    removalPolicy: props.keepsLog === true ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
  });
  const role = new iam.Role(scope, `${id}-Role`, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    ...(props.rolePath === undefined ? {} : { path: props.rolePath }),
  });
  logGroup.grantWrite(role);
  if (network !== undefined) role.addToPolicy(vpcStatement());
  const created = new lambda.Function(scope, id, {
    code: props.codeOf(folder),
    handler: BUILT_HANDLER,
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    memorySize: MEMORY_MB,
    timeout: Duration.seconds(props.timeoutSeconds),
    description: props.description,
    environment: { ...props.environment },
    ...(props.tracing === true ? { tracing: lambda.Tracing.ACTIVE } : {}),
    role,
    logGroup,
    ...(functionName === undefined ? {} : { functionName }),
    ...(reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
    ...network,
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'X-Ray traces, and in a VPC network interfaces, cannot be narrowed by resource; nothing else of the role is this wide.',
  });
  Validations.of(created).acknowledge({
    id: 'Serverless-LambdaTracing',
    reason: 'A trace without subsegments says little and costs a tenth of a hand-out: `tracing` asks for it.',
  });
  Validations.of(created).acknowledge({
    id: 'Serverless-LambdaDLQ',
    reason:
      'Behind the API it is invoked synchronously; the schedule and the rotation rule have failure destinations instead; mint must never run late.',
  });
  return created;
}

/** Adds to what a function may do. */
export function allow(target: lambda.Function, statements: readonly iam.PolicyStatement[]): void {
  for (const statement of statements) target.addToRolePolicy(statement);
}

/** Gives the role of a function that `createBrokerFunction` made. Throws where it has none. */
export function requireRole({ role }: lambda.Function): iam.IRole {
  if (role === undefined) throw new Error('Every function of the broker has a role.');
  return role;
}
