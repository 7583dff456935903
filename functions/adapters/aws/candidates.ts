import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Candidates } from '../../core/mint/secrets.ts';
import { BrokerError } from '../../core/words/errors.ts';
import { Secret } from '../../core/words/secret.ts';
import { moveCurrent } from './move-current.ts';
import { CURRENT_STAGE, explainUnavailable, nameOf, readText } from './secrets-manager.ts';

/** The label of a version that is tried before it becomes current. `secret set --check` writes it. */
export const CANDIDATE_STAGE = 'TOKENBROKER_CANDIDATE';

/** Creates the reader and mover of candidates in Secrets Manager. It needs no right to list versions. */
export function createCandidates({ client }: { readonly client: SecretsManagerClient }): Candidates {
  return {
    async find(secret) {
      const command = new GetSecretValueCommand({ SecretId: secret, VersionStage: CANDIDATE_STAGE });
      const found = await client.send(command).catch((error: unknown) => {
        // No version has the label; a secret that is not there is told of by the reader of the current version.
        if (error instanceof ResourceNotFoundException) return undefined;
        throw explainUnavailable(error, secret);
      });
      if (found?.VersionId === undefined) return undefined;
      return { versionId: found.VersionId, value: new Secret(readText(found)) };
    },

    async promote(secret, versionId, readVersionId) {
      if (await moveCurrent(client, secret, { versionId, readVersionId })) return true;
      // The reply may have been lost after the move.
      const look = new GetSecretValueCommand({ SecretId: secret, VersionStage: CURRENT_STAGE });
      const { VersionId } = await client.send(look).catch((error: unknown) => {
        throw explainUnavailable(error, secret);
      });
      if (VersionId !== readVersionId) return VersionId === versionId;
      throw new BrokerError(
        'secret_unavailable',
        `Secrets Manager did not move the label ${CURRENT_STAGE} of ${nameOf(secret)}: the broker may lack secretsmanager:UpdateSecretVersionStage. Deploy it again.`,
      );
    },

    async withdraw(secret, versionId) {
      const command = new UpdateSecretVersionStageCommand({
        SecretId: secret,
        VersionStage: CANDIDATE_STAGE,
        RemoveFromVersionId: versionId,
      });
      await client.send(command).catch((error: unknown) => {
        throw explainUnavailable(error, secret);
      });
    },
  };
}
