import { Token } from 'aws-cdk-lib';

/** The name of a broker that says no other. Its secrets are named as `npm start` and the docs name them. */
export const DEFAULT_BROKER_NAME = 'token-broker';

/** The stack's output that lists its connections, with commas between. */
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

/** Gives the prefix of the names of a broker's `mint` functions. */
export function mintPrefixOf(broker: string): string {
  return `${broker}-mint-`;
}

/** Reports whether a connection names its secret by ARN, which the configuration has found complete. */
export function isSecretArn(secret: string): boolean {
  return secret.startsWith('arn:');
}
