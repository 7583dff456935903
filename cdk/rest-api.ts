import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as apigw from 'aws-cdk-lib/aws-apigateway';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { InterfaceVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { type ApiRoute, STAGE } from '../functions/api/routes.ts';
import { buildApiBody } from './api-body.ts';
import { type CallerNames, closeApi } from './api-policy.ts';
import { THROTTLED_METRIC } from './metrics.ts';

/** A name of one's own for the API. The certificate is of the API's region; the DNS record is the operator's to make. */
export interface BrokerDomain {
  readonly domainName: string;
  readonly certificate: ICertificate;
}

/** Requests a second that a method takes from all callers together, and how many more at once. */
export interface BrokerThrottle {
  readonly rateLimit: number;
  readonly burstLimit: number;
  /** The same for the exchange, which whoever reaches the API may call. Default 10, with bursts of 20. */
  readonly exchange?: { readonly rateLimit: number; readonly burstLimit: number };
}

/** The place of the API: on the internet, or behind VPC endpoints for `execute-api`, by their ids. */
export type BrokerEndpoint = 'regional' | { readonly private: readonly string[] };

/** Settings of the API that an operator may give. */
export interface ApiSettings {
  readonly apiResources?: number;
  readonly throttle?: BrokerThrottle;
  readonly endpoint?: BrokerEndpoint;
  readonly domain?: BrokerDomain;
  readonly callers?: readonly string[];
  readonly webAclArn?: string;
  readonly apiLogRole?: boolean;
}

/** Settings of the API, with what the broker gives it. */
export interface BrokerApiProps extends ApiSettings {
  readonly broker: string;
  readonly routes: readonly ApiRoute[];
  /** The ARN of the function that serves a route. */
  readonly functionArnOf: (route: ApiRoute) => string;
  readonly logRetention: logs.RetentionDays;
}

/** The API, as the rest of the stack uses it. */
export interface BrokerApi {
  readonly api: apigw.SpecRestApi;
  readonly stage: apigw.Stage;
  /** Address without a slash at the end. */
  readonly url: string;
  /** The target of a DNS record for the domain. */
  readonly domainTarget?: string;
  readonly callers: CallerNames;
}

const THROTTLE: BrokerThrottle = { rateLimit: 100, burstLimit: 200 };
const EXCHANGE_THROTTLE = { rateLimit: 10, burstLimit: 20 };
const TOO_MANY_REQUESTS = 429;
/** Resources that API Gateway takes in one API, if nobody has asked for more. */
const MOST_RESOURCES = 300;

/**
 * Fields of the access log: the caller, the route and the outcome. Query, headers and body are not among them, so that
 * no token can be.
 */
const accessLogFields = {
  requestId: '$context.requestId',
  at: '$context.requestTime',
  caller: '$context.identity.userArn',
  ip: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  resource: '$context.resourcePath',
  path: '$context.path',
  status: '$context.status',
  bytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  error: '$context.error.responseType',
  // The answer of Lambda itself, not of the function.
  lambdaStatus: '$context.integration.status',
};

/**
 * Creates the REST API with the broker's routes, closed to all but the callers that are named. Its resources need other
 * ids than the HTTP API of earlier versions had: CloudFormation cannot change the type of a resource.
 */
export function createRestApi(scope: Construct, props: BrokerApiProps): BrokerApi {
  const { broker, routes, domain, endpoint = 'regional', callers = [] } = props;
  const vpcEndpoints = endpoint === 'regional' ? [] : endpoint.private;
  checkEndpoint(props);
  checkResources(scope, props);
  const api = new apigw.SpecRestApi(scope, 'RestApi', {
    restApiName: broker,
    description: `Token broker ${broker}`,
    apiDefinition: apigw.ApiDefinition.fromInline(buildApiBody(scope, props)),
    ...(endpoint === 'regional'
      ? { endpointTypes: [apigw.EndpointType.REGIONAL] }
      : { endpointConfiguration: privateEndpoint(scope, vpcEndpoints) }),
    disableExecuteApiEndpoint: domain !== undefined,
    deploy: false,
    // Of account and region there is one, which other APIs write by too: it stays when the stack goes.
    cloudWatchRole: props.apiLogRole ?? true,
  });
  const names = closeApi(cfnOf(api), { callers, routes, vpcEndpoints });
  const stage = createStage(scope, api, props);
  if (props.webAclArn !== undefined) {
    new CfnWebACLAssociation(scope, 'Firewall', { resourceArn: stage.stageArn, webAclArn: props.webAclArn });
  }
  acknowledge(api, stage);
  const { region, urlSuffix } = Stack.of(scope);
  const address = `https://${api.restApiId}.execute-api.${region}.${urlSuffix}/${STAGE}`;
  if (domain === undefined) return { api, stage, url: address, callers: names };

  const domainName = new apigw.DomainName(api, 'Domain', {
    ...domain,
    endpointType: apigw.EndpointType.REGIONAL,
    securityPolicy: apigw.SecurityPolicy.TLS_1_2,
  });
  domainName.addBasePathMapping(api, { stage });
  return {
    api,
    stage,
    url: `https://${domain.domainName}`,
    domainTarget: domainName.domainNameAliasDomainName,
    callers: names,
  };
}

function createStage(scope: Construct, api: apigw.SpecRestApi, props: BrokerApiProps): apigw.Stage {
  const { broker, routes, logRetention, throttle = THROTTLE } = props;
  const exchange = throttle.exchange ?? EXCHANGE_THROTTLE;
  const accessLog = new logs.LogGroup(scope, 'AccessLog', {
    // Under this path API Gateway needs no entry of its own in the account's one log policy, which is soon full.
    logGroupName: `/aws/vendedlogs/${broker}/access`,
    retention: logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  new logs.MetricFilter(scope, 'ThrottledFilter', {
    logGroup: accessLog,
    filterPattern: logs.FilterPattern.stringValue('$.lambdaStatus', '=', String(TOO_MANY_REQUESTS)),
    metricNamespace: broker,
    metricName: THROTTLED_METRIC,
    metricValue: '1',
    dimensions: { resource: '$.resource' },
  });
  const open = routes.filter(({ authorization }) => authorization === 'NONE');
  const stage = new apigw.Stage(api, 'Stage', {
    // CDK's interfaces are not written for `exactOptionalPropertyTypes`.
    deployment: new apigw.Deployment(api, 'Deployment', { api: api as apigw.IRestApi }),
    stageName: STAGE,
    throttlingRateLimit: throttle.rateLimit,
    throttlingBurstLimit: throttle.burstLimit,
    methodOptions: Object.fromEntries(
      open.map(({ method, resource }) => [
        `${resource}/${method}`,
        { throttlingRateLimit: exchange.rateLimit, throttlingBurstLimit: exchange.burstLimit },
      ]),
    ),
    accessLogDestination: new apigw.LogGroupLogDestination(accessLog),
    accessLogFormat: apigw.AccessLogFormat.custom(JSON.stringify(accessLogFields)),
  });
  api.deploymentStage = stage;
  return stage;
}

function checkEndpoint({ endpoint = 'regional', domain }: BrokerApiProps): void {
  if (endpoint === 'regional') return;
  if (endpoint.private.length === 0) throw new Error('A private endpoint needs the id of a VPC endpoint: vpce-….');
  if (domain !== undefined)
    throw new Error('A private API takes no `domain`: leave one of `endpoint` and `domain` out.');
}

/** Adds an error at synth for an API of more resources than API Gateway takes, with what to do about it. */
function checkResources(scope: Construct, { routes, apiResources = MOST_RESOURCES }: BrokerApiProps): void {
  const resources = new Set(
    routes.flatMap(({ resource }) => resource.split('/').map((_, end, parts) => parts.slice(0, end + 1).join('/'))),
  ).size;
  if (resources <= apiResources) return;
  scope.node.addValidation({
    validate: () => [
      `The API would have ${resources} resources, two for each connection with a proxy, and API Gateway takes ${apiResources}. Ask for a higher quota "Resources per API" and say so in \`apiResources\`, leave proxies out that nobody calls, or make a second broker by another \`name\`.`,
    ],
  });
}

function privateEndpoint(scope: Construct, ids: readonly string[]): apigw.EndpointConfiguration {
  return {
    types: [apigw.EndpointType.PRIVATE],
    vpcEndpoints: ids.map((id) =>
      InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(scope, `VpcEndpoint-${id}`, {
        vpcEndpointId: id,
        port: 443,
      }),
    ),
  };
}

/** The L1 of an API that was made here. */
function cfnOf({ node }: apigw.SpecRestApi): apigw.CfnRestApi {
  const { defaultChild } = node;
  if (defaultChild instanceof apigw.CfnRestApi) return defaultChild;
  throw new Error('A REST API is made of one resource.');
}

function acknowledge(api: apigw.SpecRestApi, stage: apigw.Stage): void {
  Validations.of(api).acknowledge(
    {
      id: 'AwsSolutions-APIG2',
      reason: 'The functions check every part of a request, to the character, and answer in one shape.',
    },
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
      reason: 'The policy that API Gateway asks for to write its logs; a role of an account, not of this stack.',
    },
  );
  Validations.of(stage).acknowledge(
    {
      id: 'AwsSolutions-APIG3',
      reason:
        'A firewall costs more than the rest: `webAclArn` asks for one. Without it the resource policy keeps others out.',
    },
    {
      id: 'AwsSolutions-APIG6',
      reason: 'The access log says who asked for what. Execution logs would hold headers and bodies, and so tokens.',
    },
    {
      id: 'Serverless-APIGWXrayEnabled',
      reason: 'A trace without subsegments says little and costs a tenth of a hand-out.',
    },
  );
}
