import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CONNECTIONS_OUTPUT } from './names.ts';
import { TokenBroker, type TokenBrokerProps } from './token-broker.ts';

/** Characters of an output that a person still reads. */
const LONGEST_OUTPUT = 1_000;
/** Commands that are outputs each; a stack has 200 outputs at most. */
const MOST_COMMANDS = 50;

/** Properties of a stack, with those of its broker. */
export interface TokenBrokerStackProps extends StackProps {
  /** The broker's properties, made inside the stack, where what they refer to belongs. */
  readonly broker: (stack: Stack) => TokenBrokerProps;
}

/** A stack with one broker and nothing else. Its outputs say where everything is, how each secret is set, and what is next. */
export class TokenBrokerStack extends Stack {
  readonly broker: TokenBroker;

  constructor(scope: Construct, id: string, { broker, ...props }: TokenBrokerStackProps) {
    super(scope, id, props);
    const brokerProps = broker(this);
    this.broker = new TokenBroker(this, 'Broker', brokerProps);
    const { url, api, configuration, name, deadLetters } = this.broker;
    this.#output('ApiUrl', url, 'Address of the API');
    if (api.domainTarget !== undefined) {
      this.#output('DomainTarget', api.domainTarget, 'What a DNS record for the domain points at');
    }
    const names = Object.keys(configuration.connections);
    const listed = names.join(',');
    this.#output(
      CONNECTIONS_OUTPUT,
      listed.length <= LONGEST_OUTPUT ? listed : `${names.length}: GET /connections lists them`,
      'Names of the connections',
    );
    const made = configuration.madeSecrets;
    if (made.length > MOST_COMMANDS) {
      this.#output(
        'SetSecrets',
        `npx --no-install token-broker secret set NAME --url ${url}`,
        'Sets the credential of the connection NAME',
      );
    } else {
      for (const [index, connection] of made.entries()) {
        const secret = configuration.connections[connection]?.secret ?? connection;
        const command = `aws secretsmanager put-secret-value --secret-id ${secret} --secret-string file://${connection}.json`;
        this.#output(
          `SetSecret${index + 1}`,
          command,
          `Sets the credential of ${connection} from the file ${connection}.json`,
        );
      }
    }
    const consoleUrl = consoleUrlOf(this.region);
    this.#output('Alarms', `${consoleUrl}#alarmsV2:?search=${name}`, 'Alarms of the broker');
    if (brokerProps.dashboard === true) {
      this.#output('Dashboard', `${consoleUrl}#dashboards/dashboard/${name}`, 'Dashboard of the broker');
    }
    this.#output('DeadLetters', deadLetters.queueUrl, 'Queue of what could not be done; empty while all is well');
    this.#output(
      'Next',
      `npx --no-install token-broker doctor --url ${url}`,
      'Checks the broker, once its secrets are set',
    );
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}

/** Hosts of the console in the partitions that have their own. */
const consoles = [
  ['cn-', 'console.amazonaws.cn'],
  ['us-gov-', 'console.amazonaws-us-gov.com'],
] as const;

/** Builds the address of CloudWatch in the console. */
function consoleUrlOf(region: string): string {
  const host = consoles.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'console.aws.amazon.com';
  return `https://${region}.${host}/cloudwatch/home?region=${region}`;
}
