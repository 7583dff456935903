import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CONNECTIONS_OUTPUT } from './names.ts';
import { TokenBroker, type TokenBrokerProps } from './token-broker.ts';

export interface TokenBrokerStackProps extends StackProps {
  /** The broker's properties, made inside the stack, where what they refer to belongs. */
  readonly broker: (stack: Stack) => TokenBrokerProps;
}

/** A stack with one broker and nothing else. Its outputs say where the API is, and how each secret is set. */
export class TokenBrokerStack extends Stack {
  readonly broker: TokenBroker;

  constructor(scope: Construct, id: string, { broker, ...props }: TokenBrokerStackProps) {
    super(scope, id, props);
    this.broker = new TokenBroker(this, 'Broker', broker(this));
    const { url, api, configuration } = this.broker;
    this.#output('ApiUrl', url, 'Address of the API');
    if (api.domainTarget !== undefined) {
      this.#output('DomainTarget', api.domainTarget, 'What a DNS record for the domain points at');
    }
    this.#output(CONNECTIONS_OUTPUT, Object.keys(configuration.connections).join(','), 'Names of the connections');
    for (const [index, name] of configuration.madeSecrets.entries()) {
      const secret = configuration.connections[name]?.secret ?? name;
      const command = `aws secretsmanager put-secret-value --secret-id ${secret} --secret-string file://${name}.json`;
      this.#output(`SetSecret${index + 1}`, command, `Sets the credential of ${name} from the file ${name}.json`);
    }
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
