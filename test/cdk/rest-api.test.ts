import { Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { describe, expect, it } from 'vitest';
import { gatewayAnswers } from '../../functions/api/gateway-responses.ts';
import { type DeployedOptions, deployed, newApp, REGION, trustedWorkload } from './deployed.ts';

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly security: readonly unknown[];
  readonly 'x-amazon-apigateway-integration': {
    readonly type: string;
    readonly httpMethod: string;
    readonly uri: unknown;
    readonly timeoutInMillis: number;
  };
}

interface Body {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: unknown;
  readonly [extension: `x-${string}`]: unknown;
}

function bodyOf(options: DeployedOptions = {}): Body {
  const [api] = Object.values(deployed(options).template.findResources('AWS::ApiGateway::RestApi'));
  // The body is the broker's own, in the form that the tests below look at.
  return api?.['Properties']?.Body as Body;
}

function operationsOf({ paths }: Body) {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.replace('x-amazon-apigateway-any-method', 'any')} ${path}`,
      operation,
    })),
  );
}

describe('the body of the API', () => {
  it('has IAM on every method but the exchange, which is there only where somebody is trusted', () => {
    const open = (options: DeployedOptions) =>
      operationsOf(bodyOf(options))
        .filter(({ operation }) => JSON.stringify(operation.security) !== '[{"awsSigv4":[]}]')
        .map(({ name, operation }) => [name, operation.security]);
    expect(open({})).toEqual([]);
    expect(open({ trust: [trustedWorkload] })).toEqual([['post /oauth2/token', []]]);
    expect(Object.keys(bodyOf().paths)).not.toContain('/oauth2/token');
    expect(bodyOf().components).toMatchObject({
      securitySchemes: {
        awsSigv4: { 'x-amazon-apigateway-authtype': 'awsSigv4', name: 'Authorization', in: 'header' },
      },
    });
  });

  it('sends each method to its function, and what is left over to `connections`', () => {
    const functions = Object.fromEntries(
      operationsOf(bodyOf({ trust: [trustedWorkload] })).map(({ name, operation }) => [
        name,
        /"Broker([A-Z][a-z]+)|function:([a-z_-]+)/
          .exec(JSON.stringify(operation['x-amazon-apigateway-integration'].uri))
          ?.slice(1)
          .join(''),
      ]),
    );
    expect(functions).toEqual({
      'get /tokens/{connection}/{subject}': 'Token',
      'post /tokens/{connection}/{subject}': 'Token',
      'delete /tokens/{connection}/{subject}': 'Connections',
      'any /tokens/{connection}/{subject}': 'Connections',
      'get /connections': 'Connections',
      'any /connections': 'Connections',
      'get /connections/{connection}': 'Connections',
      'any /connections/{connection}': 'Connections',
      'post /connections/{connection}/try': 'Connections',
      'any /connections/{connection}/try': 'Connections',
      'any /proxy/{connection}/{path+}': 'Connections',
      'any /proxy/helpdesk/{path+}': 'token-broker_proxy_helpdesk',
      'post /oauth2/token': 'Exchange',
      'any /oauth2/token': 'Connections',
      'any /': 'Connections',
      'any /{path+}': 'Connections',
    });
  });

  it('names the parameters of each path, and the function that API Gateway invokes', () => {
    for (const { name, operation } of operationsOf(bodyOf({ trust: [trustedWorkload] }))) {
      const inPath = [...name.matchAll(/\{(\w+)\+?\}/g)].map((match) => ({
        name: match[1],
        in: 'path',
        required: true,
      }));
      expect(operation.parameters, name).toMatchObject(inPath);
      const uri = JSON.stringify(operation['x-amazon-apigateway-integration'].uri);
      expect(uri, name).toMatch(
        /:apigateway:eu-west-1:lambda:path\/2015-03-31\/functions\/.*\/invocations"(?:\]\]\})?$/,
      );
    }
  });

  it('passes every body as bytes, and waits longer than any function takes (invariant 14)', () => {
    const body = bodyOf({ trust: [trustedWorkload] });
    expect(body['x-amazon-apigateway-binary-media-types']).toEqual(['*/*']);
    for (const { operation } of operationsOf(body)) {
      expect(operation['x-amazon-apigateway-integration']).toMatchObject({
        type: 'aws_proxy',
        // Lambda's own API is called, whatever the caller's method.
        httpMethod: 'POST',
        timeoutInMillis: 29_000,
      });
    }
  });

  it('answers in the broker’s own shape where API Gateway answers by itself', () => {
    const responses = bodyOf()['x-amazon-apigateway-gateway-responses'] as Readonly<
      Record<string, { responseParameters: Record<string, string>; responseTemplates: Record<string, string> }>
    >;
    expect(Object.keys(responses).sort()).toEqual(Object.keys(gatewayAnswers).sort());
    for (const [type, { responseParameters, responseTemplates }] of Object.entries(responses)) {
      const problem = JSON.parse(responseTemplates['application/json'] ?? '');
      expect(problem, type).toMatchObject({ request_id: '$context.requestId', detail: expect.stringMatching(/./) });
      expect(responseParameters, type).toMatchObject({
        'gatewayresponse.header.content-type': "'application/problem+json'",
        'gatewayresponse.header.cache-control': "'no-store'",
        'gatewayresponse.header.token-broker-error': `'${problem.code}'`,
      });
    }
    expect(responses['THROTTLED']).toMatchObject({ statusCode: '429' });
    expect(responses['DEFAULT_4XX']).not.toHaveProperty('statusCode');
    expect(responses['DEFAULT_5XX']).toMatchObject({ statusCode: '503' });
  });

  it('adds no resource to the stack for a connection more, but its functions’ permission', () => {
    const kinds = (options: DeployedOptions) =>
      Object.values(deployed(options).template.toJSON()['Resources'] as Record<string, { Type: string }>).filter(
        ({ Type }) => Type.startsWith('AWS::ApiGateway::'),
      ).length;
    const connections: DeployedOptions['connections'] = Object.fromEntries(
      Array.from({ length: 5 }, (_, n) => [
        `c${n}`,
        { provider: 'helpmaster' as const, baseUrl: 'https://a.example', proxy: {} },
      ]),
    );
    expect(kinds({ connections })).toBe(kinds({}));
  });
});

it('the stack says where the alarms and the queue are, and what is next', () => {
  const { template } = deployed();
  template.hasOutput('Alarms', {
    Value: `https://${REGION}.console.aws.amazon.com/cloudwatch/home?region=${REGION}#alarmsV2:?search=token-broker`,
  });
  template.hasOutput('DeadLetters', { Value: { Ref: Match.stringLikeRegexp('^BrokerDeadLetters') } });
  template.hasOutput('Next', {
    Value: { 'Fn::Join': ['', Match.arrayWith(['npx --no-install token-broker doctor --url https://', '/v1'])] },
  });
});

it('makes a dashboard, and says where it is, only where that is asked for', () => {
  const without = deployed().template;
  without.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
  expect(without.findOutputs('Dashboard')).toEqual({});
  const { template } = deployed({ dashboard: true });
  template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(dashboard?.['Properties'].DashboardBody);
  // The dimensions that the functions write: of others it would find nothing.
  for (const name of ['HandOuts', 'LoginLatency', 'SlideLatency', 'RefreshLatency', 'RefusedLogins']) {
    expect(body.replaceAll('\\', '')).toContain(`{"token-broker",connection} MetricName="${name}"`);
  }
  template.hasOutput('Dashboard', {
    Value: `https://${REGION}.console.aws.amazon.com/cloudwatch/home?region=${REGION}#dashboards/dashboard/token-broker`,
  });
});

describe('the stage', () => {
  it('is v1, at the end of the address', () => {
    const { template } = deployed();
    template.hasResourceProperties('AWS::ApiGateway::Stage', { StageName: 'v1' });
    template.hasOutput('ApiUrl', { Value: { 'Fn::Join': ['', Match.arrayWith(['/v1'])] } });
  });

  it('logs who asked for what, and neither query, header nor body', () => {
    const [stage] = Object.values(deployed().template.findResources('AWS::ApiGateway::Stage'));
    const format = String(stage?.['Properties']?.AccessLogSetting?.Format);
    expect(format).toContain('$context.identity.userArn');
    expect(format).not.toMatch(/header|query|body|authorizer\.|error\.message/i);
    // Execution logs would hold headers and bodies, and so tokens.
    for (const setting of stage?.['Properties']?.MethodSettings ?? []) {
      expect(setting).not.toHaveProperty('LoggingLevel');
      expect(setting).toMatchObject({ DataTraceEnabled: false });
    }
  });

  it('takes so much of every method, and less of the open one', () => {
    const settingsOf = (options: DeployedOptions) => {
      const [stage] = Object.values(deployed(options).template.findResources('AWS::ApiGateway::Stage'));
      return stage?.['Properties']?.MethodSettings;
    };
    const every = { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 };
    const exchange = { HttpMethod: 'POST', ResourcePath: '/~1oauth2~1token' };
    expect(settingsOf({})).toMatchObject([every]);
    expect(settingsOf({ trust: [trustedWorkload] })).toMatchObject([
      every,
      { ...exchange, ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 },
    ]);
    const throttle = { rateLimit: 7, burstLimit: 8, exchange: { rateLimit: 1, burstLimit: 2 } };
    expect(settingsOf({ trust: [trustedWorkload], throttle })).toMatchObject([
      { ...every, ThrottlingRateLimit: 7, ThrottlingBurstLimit: 8 },
      { ...exchange, ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 },
    ]);
  });

  it('has a firewall before it where one is given', () => {
    const webAclArn = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/broker/0';
    deployed({ webAclArn }).template.hasResourceProperties('AWS::WAFv2::WebACLAssociation', { WebACLArn: webAclArn });
    deployed().template.resourceCountIs('AWS::WAFv2::WebACLAssociation', 0);
  });

  it('keeps the role by which the account’s APIs log, or leaves it to whoever else sets it', () => {
    deployed().template.hasResource('AWS::ApiGateway::Account', { DeletionPolicy: 'Retain' });
    deployed({ apiLogRole: false }).template.resourceCountIs('AWS::ApiGateway::Account', 0);
  });
});

describe('a private API', () => {
  it('is made for its VPC endpoints', () => {
    const { template } = deployed({ endpoint: { private: ['vpce-0123abcd'] } });
    template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      EndpointConfiguration: { Types: ['PRIVATE'], VpcEndpointIds: ['vpce-0123abcd'] },
    });
  });

  it('needs one, and has no name of one’s own', () => {
    expect(() => deployed({ endpoint: { private: [] } })).toThrow('needs the id of a VPC endpoint');
    const arn = 'arn:aws:acm:eu-west-1:111122223333:certificate/11111111-2222-3333-4444-555555555555';
    const certificate = Certificate.fromCertificateArn(new Stack(newApp(), 'Elsewhere'), 'C', arn);
    const domain = { domainName: 'tokens.example.com', certificate };
    expect(() => deployed({ endpoint: { private: ['vpce-0123abcd'] }, domain })).toThrow('takes no `domain`');
  });
});
