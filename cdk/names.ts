import { Token } from 'aws-cdk-lib';

/** The name of a broker that says no other. Its secrets are named as `npm start` and the docs name them. */
export const DEFAULT_BROKER_NAME = 'token-broker';

/** The metadata of a stack's template that lists its connections. */
export const CONNECTIONS_METADATA = 'TokenBroker::Connections';

/** The warning of CDK that a broker gives for each address of an example. */
export const EXAMPLE_WARNING = 'token-broker:example';

/** The stack's output that lists its connections, with commas between, unless they are too many. */
export const CONNECTIONS_OUTPUT = 'Connections';

const BROKER_NAME = /^[a-z][a-z0-9-]{0,29}$/;

/** Checks a broker's name and gives it back. Throws where functions, metrics and secrets could not be named after it. */
export function checkBrokerName(name: string): string {
  if (Token.isUnresolved(name) || !BROKER_NAME.test(name)) {
    throw new Error(
      'The name of a token broker is lower-case letters, digits and `-`, at most 30, starting with a letter; and it must be known at synth.',
    );
  }
  return name;
}

/** Gives the name of the stack of a broker: each broker has its own, so that none can replace another. */
export function stackNameOf(broker: string): string {
  return broker === DEFAULT_BROKER_NAME ? 'TokenBroker' : `TokenBroker-${broker}`;
}

/** Gives the name of the broker of a stage. */
export function brokerNameOf(stage: string): string {
  return `${DEFAULT_BROKER_NAME}-${stage}`;
}

/** The functions of which each isolation group has one. */
export type GroupFunction = 'mint' | 'proxy';

/**
 * Gives the prefix of the names of a broker's functions of a kind. No broker has `_` in its name, so that no pattern of one
 * matches what another has.
 */
export function functionPrefixOf(broker: string, kind: GroupFunction): string {
  return `${broker}_${kind}_`;
}

/** Gives the path of the roles of a broker's functions of a kind, by which a policy names them all. */
export function rolePathOf(broker: string, kind: GroupFunction): string {
  return `/${broker}/${kind}/`;
}

/** Reports whether a connection names its secret by ARN, which the configuration has found complete. */
export function isSecretArn(secret: string): boolean {
  return secret.startsWith('arn:');
}
