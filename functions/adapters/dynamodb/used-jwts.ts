import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { BrokerError } from '../../core/words/errors.ts';
import { TABLE_KEYS, USED_JWT_PARTITION } from './table.ts';

/** One JWT, by what its issuer promises to be unlike any other's (RFC 7519 §4.1.7). */
export interface JwtId {
  readonly issuer: string;
  readonly jti: string;
  /** Time from which the JWT is refused anyway; epoch milliseconds. */
  readonly until: number;
}

/**
 * Creates the memory of JWTs that may be exchanged only once: true for the first that comes with an id. Holds a hash,
 * until the JWT has ended. Throws `store_unavailable`.
 */
export function createUsedJwts({
  client,
  table,
}: {
  readonly client: DynamoDBClient;
  readonly table: string;
}): (id: JwtId) => Promise<boolean> {
  return async ({ issuer, jti, until }) => {
    const hash = createHash('sha256')
      .update(JSON.stringify([issuer, jti]))
      .digest('hex');
    const command = new PutItemCommand({
      TableName: table,
      Item: {
        [TABLE_KEYS.partition]: { S: `${USED_JWT_PARTITION}${hash}` },
        [TABLE_KEYS.sort]: { S: '-' },
        [TABLE_KEYS.ttl]: { N: String(Math.ceil(until / 1000)) },
      },
      ConditionExpression: 'attribute_not_exists(#pk)',
      ExpressionAttributeNames: { '#pk': TABLE_KEYS.partition },
    });
    try {
      await client.send(command);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw new BrokerError(
        'store_unavailable',
        'The store could not note that the subject token was used. Ask again.',
      );
    }
  };
}
