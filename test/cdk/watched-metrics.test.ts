import { describe, expect, it } from 'vitest';
import { type DeployedOptions, deployed, trustedWorkload } from './deployed.ts';

interface AlarmProperties {
  readonly AlarmName: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
}

/** The alarms of a deployment by name, without the broker's. */
function alarmsOf(options: DeployedOptions = {}): Readonly<Record<string, AlarmProperties>> {
  const found = Object.values(deployed(options).template.findResources('AWS::CloudWatch::Alarm'));
  return Object.fromEntries(
    found.map(({ Properties }) => [Properties.AlarmName.replace(/^token-broker-/, ''), Properties]),
  );
}

const dimensionsOf = (alarm: AlarmProperties | undefined) =>
  Object.fromEntries((alarm?.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]));

describe('alarms', () => {
  it('watch each look that finds the credential refused, not only the logins that were', () => {
    expect(alarmsOf()['renew-the-credential-wfm']).toMatchObject({ MetricName: 'CredentialRefused' });
  });

  it('watch the exchange where somebody is trusted, for the connections that may be exchanged', () => {
    const trusting = alarmsOf({ trust: [trustedWorkload] });
    const tampering = trusting['look-for-tampering-wfm-exchange'];

    expect(tampering).toMatchObject({ Namespace: 'token-broker', MetricName: 'CiphertextRejected' });
    expect(dimensionsOf(tampering)).toEqual({ service: 'exchange', connection: 'wfm' });
    expect(trusting['raise-the-concurrency-exchange']).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'Throttles',
    });
    expect(trusting).not.toHaveProperty('look-for-tampering-helpdesk-exchange');
  });

  it('are the same without trust: six, and seven for each connection with a proxy', () => {
    const names = Object.keys(alarmsOf());
    expect(names.filter((name) => name.includes('exchange'))).toEqual([]);
    expect(names).toHaveLength(6 + 7 + 5);
  });
});
