import { ConditionalCheckFailedException, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Audit } from '../../core/hand-out/audit.ts';
import { BrokerError } from '../../core/words/errors.ts';
import type { Random } from '../../core/words/platform.ts';

const KEPT_SECONDS = 90 * 86_400;

/**
 * Creates the strict audit: a hand-out must be in the audit table before the token leaves, and is kept there 90 days.
 * Items are keyed by `pk`, a fresh id; they hold the token's SHA-256, never the token. Throws `audit_unavailable`.
 */
export function createAuditTable({
  client,
  table,
  random,
}: {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly random: Random;
}): Audit {
  return {
    async handOut(record) {
      const command = new PutItemCommand({
        TableName: table,
        Item: {
          pk: { S: random.uuid() },
          at: { S: new Date(record.at).toISOString() },
          caller: { S: record.caller },
          connection: { S: record.connection },
          subject: { S: record.subject },
          tokenHash: { S: record.tokenHash },
          generation: { N: String(record.generation) },
          secretVersion: { S: record.secretVersion },
          source: { S: record.source },
          ...(record.via === undefined ? {} : { via: { S: record.via } }),
          requestId: { S: record.requestId },
          ttl: { N: String(Math.ceil(record.at / 1000) + KEPT_SECONDS) },
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      try {
        await client.send(command);
      } catch (error) {
        // The id is this record's own: it is there because a write whose answer was lost has been sent again.
        if (error instanceof ConditionalCheckFailedException) return;
        throw new BrokerError(
          'audit_unavailable',
          'The hand-out could not be recorded, so no token is handed out. If this persists, look at the audit table.',
        );
      }
    },
  };
}
