import { Stack, Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/configuration/configuration.ts';

/**
 * Returns the region of a broker's stack. Throws where it is not known at synth; where a connection has its home in
 * another, since two brokers would log in side by side, and neither would know of the other's lease (ADR 0033); and where
 * a connection's secret is in another region or partition (C3).
 */
export function requireRegion(broker: Construct, { connections }: Configuration): string {
  const { region } = Stack.of(broker);
  if (Token.isUnresolved(region)) {
    throw new Error(
      "A token broker needs a region that is known at synth: give its stack one, as in `env: { region: 'eu-west-1' }`.",
    );
  }
  assertSecretsAreIn(region, connections);
  const strangers = Object.values(connections).filter(({ homeRegion = region }) => homeRegion !== region);
  if (strangers.length === 0) return region;
  const named = strangers.map(({ name, homeRegion }) => `${name} (${homeRegion})`).join(', ');
  throw new Error(
    `This broker is in ${region}, and these connections have their home elsewhere: ${named}. Leave them out here, and have their callers call the broker there; or change \`homeRegion\`.`,
  );
}

const SECRET_ARN = /^arn:([^:]+):secretsmanager:([^:]+):/;

/** Throws for secrets by ARN that no function of this region can read: Secrets Manager has each region's alone. */
function assertSecretsAreIn(region: string, connections: Configuration['connections']): void {
  const { partition } = RegionInfo.get(region);
  const elsewhere = Object.values(connections).flatMap(({ name, secret }) => {
    const [, itsPartition, itsRegion] = SECRET_ARN.exec(secret) ?? [];
    if (itsRegion === undefined) return [];
    if (itsRegion !== region) return [`${name} (${itsRegion})`];
    return partition === undefined || itsPartition === partition ? [] : [`${name} (arn:${itsPartition})`];
  });
  if (elsewhere.length === 0) return;
  throw new Error(
    `This broker is in ${region}${partition === undefined ? '' : ` (arn:${partition})`}, and the secrets of these connections are elsewhere, where it can read none: ${elsewhere.join(', ')}. Name secrets of this region; \`aws secretsmanager replicate-secret-to-regions\` copies one here.`,
  );
}
