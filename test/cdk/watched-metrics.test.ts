import { describe, expect, it } from 'vitest';
import { type DeployedOptions, declared, deployed, rotating, trustedWorkload } from './deployed.ts';

interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly Metrics?: readonly { readonly Expression: string; readonly Period: number }[];
}

/** The alarms of a deployment by name, without the broker's. */
function alarmsOf(options: DeployedOptions = {}): Readonly<Record<string, AlarmProperties>> {
  const found = Object.values(deployed(options).template.findResources('AWS::CloudWatch::Alarm'));
  return Object.fromEntries(
    found.map(({ Properties }) => [Properties.AlarmName.replace(/^token-broker-/, ''), Properties]),
  );
}

const queryOf = (alarm: AlarmProperties | undefined) => alarm?.Metrics?.[0]?.Expression;
const ofAll = (metric: string, by: string) =>
  `SELECT SUM("${metric}") FROM SCHEMA("token-broker", "service", "connection") GROUP BY ${by}`;

const alarms = alarmsOf({ connections: { ...declared, books: rotating } });

describe('alarms about connections', () => {
  it.each([
    // Each look that finds the credential refused, not only the logins that were.
    ['renew-the-credential', 'CredentialRefused', '"connection"'],
    ['consent-again', 'ReauthorizationRequired', '"connection"'],
    ['consent-again-lost', 'RefreshTokenLost', '"connection"'],
    ['check-the-upstream', 'UpstreamFailures', '"connection"'],
    ['look-for-tampering', 'CiphertextRejected', '"connection", "service"'],
  ])('%s is one for all, and names each', (name, metric, by) => {
    expect(queryOf(alarms[name])).toBe(ofAll(metric, by));
    expect(alarms[name]).toMatchObject({ TreatMissingData: 'notBreaching', Metrics: [{ Period: 300 }] });
  });

  it('ring at the first, but for the upstream at two in each of two periods', () => {
    for (const [name, alarm] of Object.entries(alarms)) {
      if (alarm.Metrics === undefined) continue;
      const often = name === 'check-the-upstream' ? 2 : 1;
      expect(alarm, name).toMatchObject({ Threshold: often, EvaluationPeriods: often });
    }
  });

  it.each([
    ['renew-the-credential', 'upstream_credential_rejected'],
    ['consent-again', 'reauthorization_required'],
    ['check-the-upstream', 'upstream_unavailable'],
    ['raise-the-concurrency-mint', 'mint_unavailable'],
  ])('%s says the code %s', (name, code) => {
    expect(alarms[name]?.AlarmDescription).toContain(code);
  });

  it('watch refusals of Lambda to run a `mint`, as its callers see them', () => {
    expect(queryOf(alarms['raise-the-concurrency-mint'])).toBe(
      'SELECT SUM("BackOffs") FROM SCHEMA("token-broker", "service", "connection", "code") WHERE "code" = \'mint_unavailable\' GROUP BY "connection"',
    );
  });

  it('watch refusals of Lambda to run a `proxy`, as the access log has them', () => {
    const { template } = deployed();
    expect(queryOf(alarms['raise-the-concurrency-proxy'])).toBe(
      'SELECT SUM("Throttled") FROM SCHEMA("token-broker", "resource") GROUP BY "resource"',
    );
    template.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern: '{ $.lambdaStatus = "429" }',
      MetricTransformations: [
        {
          MetricName: 'Throttled',
          MetricNamespace: 'token-broker',
          MetricValue: '1',
          Dimensions: [{ Key: 'resource', Value: '$.resource' }],
        },
      ],
    });
    const [stage] = Object.values(template.findResources('AWS::ApiGateway::Stage'));
    const format = JSON.parse(String(stage?.['Properties']?.AccessLogSetting?.Format));
    expect(format).toMatchObject({ lambdaStatus: '$context.integration.status', resource: '$context.resourcePath' });
  });
});

it('there are as many alarms for twenty connections as for two', () => {
  const many = Array.from({ length: 10 }, (_, n) => [
    [`a${n}`, declared.helpdesk],
    [`b${n}`, declared.wfm],
  ]).flat();
  const names = (options?: DeployedOptions) => Object.keys(alarmsOf(options)).sort();
  expect(names({ connections: Object.fromEntries(many) })).toEqual(names());
  expect(names()).toHaveLength(11);
});

it('the exchange has one more, where somebody is trusted', () => {
  const trusting = alarmsOf({ trust: [trustedWorkload] });
  expect(trusting['raise-the-concurrency-exchange']).toMatchObject({
    Namespace: 'AWS/Lambda',
    MetricName: 'Throttles',
  });
  expect(Object.keys(trusting)).toHaveLength(12);
});
