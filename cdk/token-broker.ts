import { Stack } from 'aws-cdk-lib';
import type { IMetric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { WarmThroughput } from 'aws-cdk-lib/aws-dynamodb';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { apiRoutesOf, STAGE } from '../functions/api/routes.ts';
import { VARIABLES } from '../functions/composition/environment.ts';
import { resolveConnections } from '../functions/configuration/check.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import type { AnyDeclaration } from '../functions/configuration/declaration.ts';
import { createAlarms } from './alarms.ts';
import { createAuditQuery } from './audit-query.ts';
import { API_TIMEOUT_SECONDS, allow, createBrokerFunction, NEVER_AGAIN, requireRole } from './broker-function.ts';
import { type BrokerCanary, createCanary } from './canary.ts';
import { type ConcurrencyProps, keepExecutions, mostWaitsOf } from './concurrency.ts';
import { createDashboard } from './dashboard.ts';
import { createFunctionCode } from './function-code.ts';
import { closeAlias, closeFunction } from './function-policy.ts';
import { createGrants, type ITokenBroker, type SubjectsOption, type TokenOptions } from './grants.ts';
import { allowEveryMint, createGroupArns } from './group-arns.ts';
import { checkSize } from './group-stacks.ts';
import { type BrokerAttributes, importBroker } from './imported-broker.ts';
import { createIsolationGroups, type IsolationGroup, type MakeFunction } from './isolation-groups.ts';
import { connectionMetric } from './metrics.ts';
import { checkBrokerName, DEFAULT_BROKER_NAME, functionPrefixOf } from './names.ts';
import * as permissions from './permissions.ts';
import { requireRegion } from './region.ts';
import {
  type BrokerApi,
  type BrokerDomain,
  type BrokerEndpoint,
  type BrokerThrottle,
  createRestApi,
} from './rest-api.ts';
import { createRollouts, LIVE, type Rollout } from './rollout.ts';
import { createRotationRule } from './rotation-rule.ts';
import { createDeadLetterQueue, createSchedule, toDeadLetters } from './schedule.ts';
import { nameSecrets } from './secrets.ts';
import { createAuditTable, createKey, createSlotTable, reserveDataKeys } from './storage.ts';
import { listConnections, warnOf } from './template-notes.ts';

/** Properties of a broker. Only `connections` is required. */
export interface TokenBrokerProps extends ConcurrencyProps {
  /** The connections: what `defineConnections` gives, or `loadConfigurationFile` for a file of them. */
  readonly connections: AnyDeclaration | Configuration;
  /**
   * Name of this broker, one an account and region: of its `mint` functions, metrics, dashboard and of the secrets that
   * it makes, and part of what every stored token is bound to. Default `token-broker`.
   */
  readonly name?: string;
  /**
   * Callers beside those whom this app grants something: ARN patterns of roles and users, account ids, organisation ids.
   * Nobody else is let in, whatever his own policies allow; what one may do, grants and IAM say. Default none; those of
   * the configuration count too.
   */
  readonly callers?: readonly string[];
  /** Requests a second that each method takes, from all callers together. Default 100, with bursts of 200. */
  readonly throttle?: BrokerThrottle;
  /** On the internet, or for VPC endpoints alone: `{ private: ['vpce-…'] }`. Default `regional`. */
  readonly endpoint?: BrokerEndpoint;
  /** Resources that your API may have, where AWS has raised the quota: each proxy takes two. Default 300. */
  readonly apiResources?: number;
  /**
   * Reads and writes a second that the table is made ready for at once, such as before many callers start. It is paid for
   * once, and cannot be lowered. Default: what DynamoDB gives a new table.
   */
  readonly warmThroughput?: WarmThroughput;
  /** A WAF web ACL (regional) before the API. Default none. */
  readonly webAclArn?: string;
  /**
   * Set the role by which API Gateway writes logs, of which an account has one in a region; it stays when the stack goes.
   * False where something else sets it. Default true.
   */
  readonly apiLogRole?: boolean;
  /** Retention of the logs; the log of `token` is the audit of hand-outs. Default three months. */
  readonly logRetention?: RetentionDays;
  /** Trace invocations with X-Ray, which costs about a tenth of a hand-out and is not in China. Default false. */
  readonly tracing?: boolean;
  /** Make a dashboard of CloudWatch, which costs 3.00 $ a month beyond the first three of an account. Default false. */
  readonly dashboard?: boolean;
  /**
   * Move requests to a new version of a function little by little, as CodeDeploy does by this name, and back where it
   * fails. Default: all at once.
   */
  readonly rollout?: Rollout;
  /** Ask for a token of this slot each five minutes, as a caller does, with alarms. Default: no such calls. */
  readonly canary?: BrokerCanary;
  /** A name of one's own for the API. Default: the name that API Gateway gives. */
  readonly domain?: BrokerDomain;
  /** Topic that alarms go to. Default: none; they show in CloudWatch alone. */
  readonly alarmTopic?: ITopic;
  /** The VPCs that connections name, by id. Default: looked up at synth, which needs credentials the first time. */
  readonly vpcs?: Readonly<Record<string, ec2.IVpc>>;
  /** Customer keys that encrypt secrets named by connections, by connection. Default: the key that AWS manages. */
  readonly secretKeys?: Readonly<Record<string, kms.IKey>>;
}

const SCHEDULED_TIMEOUT_SECONDS = 55;

/**
 * The whole broker: API, functions, table, key, secrets, schedule, alarms. Needs a stack with a region that is known at
 * synth. Throws for a configuration that could not be deployed. A team uses it in its own app and grants from it, or
 * calls a broker that is there already by `TokenBroker.fromAttributes`.
 */
export class TokenBroker extends Construct implements ITokenBroker {
  /** The broker of another stack or app, to call and to grant from. */
  static fromAttributes(scope: Construct, id: string, attributes: BrokerAttributes): ITokenBroker {
    return importBroker(scope, id, attributes);
  }

  readonly name: string;
  readonly url: string;
  readonly api: BrokerApi;
  /** The configuration as deployed: with the names of the secrets that the stack makes. */
  readonly configuration: Configuration;
  /** Queue of what the schedule or a secret event could not have done. */
  readonly deadLetters: IQueue;
  readonly #grants: ReturnType<typeof createGrants>;

  constructor(scope: Construct, id: string, props: TokenBrokerProps) {
    super(scope, id);
    this.name = checkBrokerName(props.name ?? DEFAULT_BROKER_NAME);
    const configuration = 'warnings' in props.connections ? props.connections : resolveConnections(props.connections);
    warnOf(this, configuration);
    this.configuration = nameSecrets(configuration, this.name);
    listConnections(Stack.of(this), this.configuration);
    const region = requireRegion(this, this.configuration);
    const { connections, strictAudit, trust } = this.configuration;
    const logRetention = props.logRetention ?? RetentionDays.THREE_MONTHS;

    const key = createKey(this, { broker: this.name, region });
    const table = createSlotTable(this, key, props.warmThroughput);
    const places = { broker: this.name, tableArn: table.tableArn, keyArn: key.keyArn };
    const groupArns = createGroupArns(this, this.name);
    const deadLetters = createDeadLetterQueue(this);
    this.deadLetters = deadLetters;
    checkSize(Stack.of(this));

    const codeOf = createFunctionCode(this, this.configuration);
    const environment = {
      [VARIABLES.broker]: this.name,
      [VARIABLES.table]: table.tableName,
      [VARIABLES.key]: key.keyArn,
      [VARIABLES.mintPrefix]: functionPrefixOf(this.name, 'mint'),
    };
    const makeIn: MakeFunction = (stack, id, own) =>
      createBrokerFunction(stack, id, {
        ...own,
        codeOf,
        logRetention,
        tracing: props.tracing ?? false,
        environment: { ...environment, ...own.environment },
      });

    const groups = createIsolationGroups(this, {
      ...props,
      configuration: this.configuration,
      places,
      make: makeIn,
    });
    const make = (id: string, own: Parameters<MakeFunction>[2]) => makeIn(this, id, own);
    const proxies = [...groups.values()].flatMap(({ proxy }) => proxy ?? []);
    const waits = { [VARIABLES.waits]: String(mostWaitsOf(props)) };
    const token = make('Token', {
      folder: 'token',
      description: 'Hands out tokens',
      timeoutSeconds: API_TIMEOUT_SECONDS,
      keepsLog: true,
      environment: waits,
      ...keepExecutions(props.tokenConcurrency),
    });
    allow(token, permissions.tokenStatements(places));
    allowEveryMint(token, groupArns);

    // A route without IAM is there only for those whom the configuration trusts.
    const exchange =
      trust.length === 0
        ? undefined
        : make('Exchange', {
            folder: 'exchange',
            description: "Hands out tokens for workloads' JWTs",
            timeoutSeconds: API_TIMEOUT_SECONDS,
            keepsLog: true,
            environment: waits,
          });
    const exchanged = new Set(trust.flatMap(({ connections: names }) => names));
    const isExchanged = (group: IsolationGroup) => group.connections.some((name) => exchanged.has(name));
    if (exchange !== undefined) {
      const reached = [...groups].flatMap(([name, group]) =>
        isExchanged(group) ? groupArns.functionOf('mint', name) : [],
      );
      allow(exchange, permissions.exchangeStatements(places, [...exchanged]));
      allow(exchange, permissions.invokeStatements(reached));
    }
    if (exchange !== undefined && trust.some(({ once }) => once)) {
      allow(exchange, [permissions.usedJwtStatement(places)]);
    }

    const operators = make('Connections', {
      folder: 'connections',
      description: 'Shows states, tries logins and drops cached tokens',
      timeoutSeconds: API_TIMEOUT_SECONDS,
      environment: {},
    });
    allow(operators, permissions.connectionsStatements(places));
    allowEveryMint(operators, groupArns);

    const refresh = make('Refresh', {
      folder: 'refresh',
      description: 'Has tokens minted ahead of their expiry',
      timeoutSeconds: SCHEDULED_TIMEOUT_SECONDS,
      environment: {},
    });
    allow(refresh, permissions.refreshStatements(places));
    allowEveryMint(refresh, groupArns);
    // Scheduler's invocation is asynchronous: a sweep that fails is made up for by the next, a minute later.
    refresh.configureAsyncInvoke({ ...NEVER_AGAIN, onFailure: toDeadLetters(deadLetters) });
    const description = 'Refreshes tokens ahead of their expiry';
    const sweeps = { id: 'Schedule', target: refresh, description, minutes: 1, deadLetters };
    closeFunction(refresh, { roleArns: [createSchedule(this, sweeps)] });

    const rotation = make('Rotation', {
      folder: 'rotation',
      description: 'Has a new version of a secret proven, and ends back-offs of the one before',
      timeoutSeconds: SCHEDULED_TIMEOUT_SECONDS,
      environment: {},
    });
    allow(rotation, permissions.rotationStatements(places));
    rotation.configureAsyncInvoke({ retryAttempts: 2, onFailure: toDeadLetters(deadLetters) });
    closeFunction(rotation, {
      service: { principal: 'events.amazonaws.com', sourceArn: createRotationRule(this, { rotation, deadLetters }) },
    });

    const handingOutItself = [token, exchange ?? []].flat();
    const handingOut = [...handingOutItself, ...proxies];
    if (strictAudit) {
      const auditTable = createAuditTable(this);
      for (const each of handingOut) {
        each.addEnvironment(VARIABLES.auditTable, auditTable.tableName);
        allow(each, [permissions.auditStatement(auditTable.tableArn)]);
      }
    }

    reserveDataKeys(key, {
      broker: this.name,
      makers: [groupArns.rolesOf('mint')],
      readers: [...handingOutItself.map((each) => requireRole(each).roleArn), groupArns.rolesOf('proxy')],
    });

    const { rollout, alarmTopic: topic } = props;
    const behindApi = [token, operators, exchange ?? [], proxies].flat();
    const publish = rollout && createRollouts(this, { broker: this.name, how: rollout, topic });
    const published = new Map(publish && behindApi.map((each) => [each, publish(each)]));

    this.api = createRestApi(this, {
      ...props,
      callers: [...this.configuration.callers, ...(props.callers ?? [])],
      broker: this.name,
      routes: apiRoutesOf(this.configuration),
      functionArnOf: (route) => {
        if (route.function === 'proxy') {
          const proxy = groupArns.functionOf('proxy', route.isolation ?? '');
          return rollout === undefined ? proxy : `${proxy}:${LIVE}`;
        }
        const found = { token, connections: operators, exchange }[route.function];
        if (found === undefined) throw new Error(`No function serves ${route.method} ${route.resource}.`);
        return (published.get(found) ?? found).functionArn;
      },
      logRetention,
    });
    this.url = this.api.url;
    const itsApi = {
      service: {
        principal: 'apigateway.amazonaws.com',
        sourceArn: this.api.api.arnForExecuteApi('*', '/*', STAGE),
      },
    };
    for (const each of behindApi) closeFunction(each, itsApi);
    // Not before the API may invoke the aliases does the stage lead there.
    for (const alias of published.values()) this.api.stage.node.addDependency(closeAlias(alias, itsApi));
    for (const group of groups.values()) {
      const callers = [token, operators, refresh, group.proxy, isExchanged(group) ? exchange : undefined];
      closeFunction(group.mint, {
        roleArns: callers.flatMap((each) => (each === undefined ? [] : requireRole(each).roleArn)),
      });
    }
    this.#grants = createGrants({
      scope: this,
      apiId: this.api.api.restApiId,
      api: this.api,
      region,
      account: Stack.of(this).account,
      connections: new Map(Object.entries(connections)),
    });

    const watched = {
      broker: this.name,
      connections: Object.values(connections),
      token,
      exchange,
      refresh,
      deadLetters,
      api: this.api,
    };
    createAuditQuery(this, { broker: this.name, handingOut });
    createAlarms(this, { ...watched, topic });
    if (props.canary) createCanary(this, { ...props.canary, make: makeIn, endpoint: props.endpoint, topic });
    if (props.dashboard === true) createDashboard(this, watched);
  }

  grantToken(grantee: iam.IGrantable, connection: string, options?: TokenOptions): iam.Grant {
    return this.#grants.grantToken(grantee, connection, options);
  }

  grantProxy(grantee: iam.IGrantable, connection: string, options?: SubjectsOption): iam.Grant {
    return this.#grants.grantProxy(grantee, connection, options);
  }

  /** Tokens that a connection has handed out: the sum of five minutes, if `options` say nothing else. */
  metricHandOuts(connection: string, options?: MetricOptions): IMetric {
    return connectionMetric(this, 'HandOuts', connection, { statistic: 'Sum', ...options });
  }

  /** Milliseconds that a connection's logins took: the average, where `statistic: 'SampleCount'` counts them. */
  metricLoginLatency(connection: string, options?: MetricOptions): IMetric {
    return connectionMetric(this, 'LoginLatency', connection, options);
  }

  grantOperate(grantee: iam.IGrantable, connection?: string): iam.Grant {
    return this.#grants.grantOperate(grantee, connection);
  }
}
