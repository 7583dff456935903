import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/configuration/configuration.ts';

/**
 * Returns the region of a broker's stack. Throws where it is not known at synth, or where a connection has its home in
 * another: two brokers would log in side by side, and neither would know of the other's lease (ADR 0033).
 */
export function requireRegion(broker: Construct, { connections }: Configuration): string {
  const { region } = Stack.of(broker);
  if (Token.isUnresolved(region)) {
    throw new Error(
      "A token broker needs a region that is known at synth: give its stack one, as in `env: { region: 'eu-west-1' }`.",
    );
  }
  const strangers = Object.values(connections).filter(({ homeRegion = region }) => homeRegion !== region);
  if (strangers.length === 0) return region;
  const named = strangers.map(({ name, homeRegion }) => `${name} (${homeRegion})`).join(', ');
  throw new Error(
    `This broker is in ${region}, and these connections have their home elsewhere: ${named}. Leave them out here, and have their callers call the broker there; or change \`homeRegion\`.`,
  );
}
