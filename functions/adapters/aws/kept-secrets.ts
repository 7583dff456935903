import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { KeptSecrets, SecretVersion } from '../../core/mint/secrets.ts';
import { BrokerError } from '../../core/words/errors.ts';
import { Secret } from '../../core/words/secret.ts';
import { awsClientConfig, type Environment } from './client.ts';
import { moveCurrent } from './move-current.ts';
import { CURRENT_STAGE } from './secrets-manager.ts';

const PREVIOUS_STAGE = 'AWSPREVIOUS';
/** The label of the version that is to become current. */
const NEXT_STAGE = 'token-broker-next';
/** Limits of one request and its attempts: the value must find another place before the window ends. */
const REQUEST_TIMEOUT_MS = 900;
const ATTEMPTS = 2;

/** Creates the client for kept secrets, which gives up sooner than that for the operators' secrets. */
export function createKeptSecretsClient(environment: Environment = process.env): SecretsManagerClient {
  const limits = { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxAttempts: ATTEMPTS };
  return new SecretsManagerClient(awsClientConfig({ service: 'SECRETS_MANAGER', ...limits }, environment));
}

/** Creates the store of kept secrets in Secrets Manager. */
export function createKeptSecrets({ client }: { readonly client: SecretsManagerClient }): KeptSecrets {
  /** Finds the versions of a secret by their labels. Unlike a list, a description shows the last write. */
  async function describe(secret: string): Promise<ReadonlyMap<string, string>> {
    const { VersionIdsToStages = {} } = await client
      .send(new DescribeSecretCommand({ SecretId: secret }))
      .catch((error: unknown) => {
        throw explainUnavailable(error, secret);
      });
    return new Map(Object.entries(VersionIdsToStages).flatMap(([id, stages]) => stages.map((stage) => [stage, id])));
  }

  async function get(secret: string, versionId: string | undefined): Promise<SecretVersion | undefined> {
    if (versionId === undefined) return undefined;
    const command = new GetSecretValueCommand({ SecretId: secret, VersionId: versionId });
    const { SecretString = '' } = await client.send(command).catch((error: unknown) => {
      throw explainUnavailable(error, secret);
    });
    return { versionId, value: new Secret(SecretString) };
  }

  return {
    async read(secret) {
      const versions = await describe(secret);
      const [current, previous, next] = await Promise.all(
        [CURRENT_STAGE, PREVIOUS_STAGE, NEXT_STAGE].map((stage) => get(secret, versions.get(stage))),
      );
      return { current, previous, next };
    },

    async write(secret, { versionId, value }) {
      const command = new PutSecretValueCommand({
        SecretId: secret,
        ClientRequestToken: versionId,
        SecretString: value.reveal(),
        VersionStages: [NEXT_STAGE],
      });
      await client.send(command).catch((error: unknown) => {
        throw explainUnavailable(error, secret);
      });
    },

    async promote(secret, versionId, readVersionId) {
      // The first version of all is current from the start.
      const isMoved = readVersionId !== undefined && (await moveCurrent(client, secret, { versionId, readVersionId }));
      if (isMoved) return true;
      // Refused since another is current, or made before although its reply was lost.
      return (await describe(secret)).get(CURRENT_STAGE) === versionId;
    },
  };
}

// Messages of Secrets Manager hold ARNs, hence our own words and no cause.
function explainUnavailable(error: unknown, secret: string): BrokerError {
  if (error instanceof ResourceNotFoundException) {
    return new BrokerError(
      'secret_unavailable',
      `There is no secret ${secret}, in which the broker keeps the next refresh token. Deploy the broker again, which makes it.`,
    );
  }
  return new BrokerError(
    'secret_unavailable',
    `Secrets Manager cannot be reached, is throttling, or does not let the broker use the secret ${secret}; try again.`,
  );
}
