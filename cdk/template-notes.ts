import { Annotations, type Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { findExamples } from '../functions/configuration/example-hosts.ts';
import { CONNECTIONS_METADATA, EXAMPLE_WARNING } from './names.ts';

/** Warns at synth of what is allowed but unsafe, and of addresses that are an example's. */
export function warnOf(scope: Construct, { warnings, connections }: Configuration): void {
  const annotations = Annotations.of(scope);
  for (const warning of warnings) annotations.addWarningV2('token-broker:unsafe', warning);
  for (const address of findExamples(connections)) {
    annotations.addWarningV2(EXAMPLE_WARNING, `${address} is an example's address, and nobody can log in there.`);
  }
}

/** Lists the connections in the template, by which a deployment finds one that goes. */
export function listConnections({ templateOptions }: Stack, { connections }: Configuration): void {
  const { metadata = {} } = templateOptions;
  const others: readonly string[] = metadata[CONNECTIONS_METADATA] ?? [];
  templateOptions.metadata = { ...metadata, [CONNECTIONS_METADATA]: [...others, ...Object.keys(connections)] };
}
