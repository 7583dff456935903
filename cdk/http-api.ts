import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import * as apigw from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { ApiRoute } from '../functions/api/routes.ts';

/** A name of one's own for the API. The certificate is of the API's region; the DNS record is the operator's to make. */
export interface BrokerDomain {
  readonly domainName: string;
  readonly certificate: ICertificate;
}

export interface BrokerApiProps {
  readonly broker: string;
  readonly routes: readonly ApiRoute[];
  /** The function that serves a route. */
  readonly functionOf: (route: ApiRoute) => IFunction;
  readonly throttle: apigw.ThrottleSettings;
  readonly logRetention: logs.RetentionDays;
  readonly domain?: BrokerDomain;
}

export interface BrokerApi {
  readonly api: apigw.HttpApi;
  readonly stage: apigw.HttpStage;
  /** Address without a slash at the end. */
  readonly url: string;
  /** The target of a DNS record for the domain. */
  readonly domainTarget?: string;
}

/**
 * The fields of the access log: who, which route, what came of it. No query, header or body is in it, so that no token
 * can be.
 */
const accessLogFields = {
  requestId: '$context.requestId',
  at: '$context.requestTime',
  caller: '$context.identity.userArn',
  ip: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  routeKey: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  bytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  error: '$context.error.message',
};

/** Creates the HTTP API with the broker's routes, IAM on every one that its table does not open. */
export function createHttpApi(scope: Construct, props: BrokerApiProps): BrokerApi {
  const { broker, throttle, logRetention, domain } = props;
  const api = new apigw.HttpApi(scope, 'Api', {
    apiName: broker,
    description: `Token broker ${broker}`,
    createDefaultStage: false,
    disableExecuteApiEndpoint: domain !== undefined,
  });
  addRoutes(scope, api, props);

  const accessLog = new logs.LogGroup(scope, 'AccessLog', {
    // Under this path API Gateway needs no entry of its own in the account's one log policy, which is soon full.
    logGroupName: `/aws/vendedlogs/${broker}/access`,
    retention: logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const domainName = domain && new apigw.DomainName(scope, 'Domain', domain);
  const stage = new apigw.HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle,
    accessLogSettings: {
      destination: new apigw.LogGroupLogDestination(accessLog),
      format: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
    },
    ...(domainName === undefined ? {} : { domainMapping: { domainName } }),
  });
  return {
    api,
    stage,
    url: domain === undefined ? api.apiEndpoint : `https://${domain.domainName}`,
    ...(domainName === undefined ? {} : { domainTarget: domainName.regionalDomainName }),
  };
}

function addRoutes(scope: Construct, api: apigw.HttpApi, { routes, functionOf }: BrokerApiProps): void {
  const authorizer = new HttpIamAuthorizer();
  for (const route of routes) {
    const { routeKey, authorization } = route;
    const made = new apigw.HttpRoute(scope, `Route ${routeKey.replaceAll('/', '|')}`, {
      httpApi: api,
      routeKey: routeKeyOf(routeKey),
      integration: new HttpLambdaIntegration('Integration', functionOf(route)),
      authorizer: authorization === 'AWS_IAM' ? authorizer : new apigw.HttpNoneAuthorizer(),
    });
    if (authorization === 'AWS_IAM') continue;
    Validations.of(made).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason: 'Who comes here has no AWS identity: the function verifies the JWT that the request brings (RFC 8693).',
    });
  }
}

function routeKeyOf(routeKey: string): apigw.HttpRouteKey {
  if (routeKey === '$default') return apigw.HttpRouteKey.DEFAULT;
  const [method = '', path = ''] = routeKey.split(' ');
  const known = Object.values(apigw.HttpMethod).find((each) => each === method);
  if (known === undefined) throw new Error(`The route ${routeKey} has a method that an HTTP API does not know.`);
  return apigw.HttpRouteKey.with(path, known);
}
