import { type SecretsManagerClient, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { CURRENT_STAGE } from './secrets-manager.ts';

/**
 * Makes a version of a secret current in place of the one that was read. AWS refuses that once another is current.
 * Reports whether AWS said that it did: `false` may also be a reply that was lost after the move.
 */
export async function moveCurrent(
  client: SecretsManagerClient,
  secret: string,
  { versionId, readVersionId }: { readonly versionId: string; readonly readVersionId: string },
): Promise<boolean> {
  const command = new UpdateSecretVersionStageCommand({
    SecretId: secret,
    VersionStage: CURRENT_STAGE,
    MoveToVersionId: versionId,
    RemoveFromVersionId: readVersionId,
  });
  return client.send(command).then(
    () => true,
    () => false,
  );
}
