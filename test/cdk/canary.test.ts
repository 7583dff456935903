import { describe, expect, it } from 'vitest';
import { type DeployedOptions, deployed, nameOf } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';

const made = deployed({ canary: { connection: 'helpdesk', subject: '88' } });
const policies = policiesOf(made.template);
const functions = Object.keys(made.template.findResources('AWS::Lambda::Function')).map(nameOf);
const INVOKE = 'lambda:InvokeFunction';

describe('a canary', () => {
  it('is there only where it is asked for', () => {
    const { template } = deployed();
    template.resourceCountIs('AWS::Scheduler::Schedule', 1);
    expect(Object.keys(template.findResources('AWS::Lambda::Function')).map(nameOf)).not.toContain('Canary');
  });

  it('may have the token of its slot, may report none, and may do nothing else but write its log', () => {
    const [apiId] = Object.keys(made.template.findResources('AWS::ApiGateway::RestApi'));
    const statements = policies.statementsOf('Canary').map(({ Action, Resource }) => [Action, Resource]);
    const [log] = statements.filter(([action]) => String(action).startsWith('logs:'));
    expect(statements.filter((each) => each !== log)).toEqual([
      ['execute-api:Invoke', `arn:aws:execute-api:eu-west-1:111122223333:${apiId}/v1/GET/tokens/helpdesk/88`],
    ]);
    expect(log).toEqual([['logs:CreateLogStream', 'logs:PutLogEvents'], policies.arnOf('CanaryLog')]);
  });

  it('is let in by the API, which names its role', () => {
    const [api] = Object.values(made.template.findResources('AWS::ApiGateway::RestApi'));
    expect(JSON.stringify(policies.resolve(api?.['Properties'].Policy))).toContain(policies.arnOf('CanaryRole'));
  });

  it('asks each five minutes, and is invoked by its schedule alone, which can invoke nothing else', () => {
    made.template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(5 minutes)',
      Target: { RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    const schedules = ['Schedule', 'CanarySchedule'];
    const invokers = [...functions, ...schedules].filter((role) =>
      policies.may(role, INVOKE, policies.arnOf('Canary')),
    );
    expect(invokers).toEqual(['CanarySchedule']);
    expect(policies.mayAdministrator(INVOKE, policies.arnOf('Canary'))).toBe(false);
    const invoked = functions.filter((name) => policies.may('CanarySchedule', INVOKE, policies.arnOf(name)));
    expect(invoked).toEqual(['Canary']);
    const [own] = Object.keys(made.template.findResources('AWS::Scheduler::ScheduleGroup')).filter((id) =>
      id.includes('Canary'),
    );
    const source = { 'aws:SourceArn': String(policies.resolve({ 'Fn::GetAtt': [own, 'Arn'] })) };
    const context = { 'aws:SourceAccount': '111122223333', ...source };
    expect(policies.mayAssume('CanarySchedule', 'scheduler.amazonaws.com', context)).toBe(true);
    expect(policies.mayAssume('Schedule', 'scheduler.amazonaws.com', context)).toBe(false);
  });

  it('is not repeated where it fails, and knows the slot and the address', () => {
    const [id, canary] = Object.entries(made.template.findResources('AWS::Lambda::Function')).find(
      ([each]) => nameOf(each) === 'Canary',
    ) ?? ['', undefined];
    made.template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: id },
      MaximumRetryAttempts: 0,
    });
    expect(canary?.['Properties'].Environment.Variables).toMatchObject({
      TOKEN_BROKER_CANARY_CONNECTION: 'helpdesk',
      TOKEN_BROKER_CANARY_SUBJECT: '88',
      TOKEN_BROKER_URL: made.stack.resolve(made.broker.url),
    });
  });

  it('rings where three runs in a row fail, and where there are none', () => {
    const alarms = Object.values(made.template.findResources('AWS::CloudWatch::Alarm')).filter(({ Properties }) =>
      Properties.AlarmName.includes('canary'),
    );
    const three = { EvaluationPeriods: 3, Period: 300, Statistic: 'Sum', Threshold: 1 };
    expect(alarms.map(({ Properties }) => Properties)).toMatchObject([
      {
        ...three,
        AlarmName: 'token-broker-find-what-stops-the-canary',
        MetricName: 'Errors',
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
      },
      {
        ...three,
        AlarmName: 'token-broker-find-what-stops-the-canary-absent',
        MetricName: 'Invocations',
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching',
      },
    ]);
  });

  it.each<readonly [string, DeployedOptions]>([
    ['There is no connection "crm"', { canary: { connection: 'crm' } }],
    ['does not serve the subject 7', { canary: { connection: 'helpdesk', subject: '7' } }],
    [
      'cannot reach a private API',
      { canary: { connection: 'wfm' }, endpoint: { private: ['vpce-0123456789abcdef0'] } },
    ],
  ])('is refused at synth: %s', (message, options) => {
    expect(() => deployed(options)).toThrow(message);
  });
});
