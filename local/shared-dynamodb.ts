import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { awsClientConfig, type Environment } from '../functions/adapters/aws/client.ts';
import { TABLE } from './functions.ts';
import { deriveKey } from './master-key.ts';
import { StartError } from './start-error.ts';
import { makeTables } from './tables.ts';

/** Key of the owner's mark. No connection's name begins with `!`, so no slot has this key. */
const OWNER_KEY = { pk: { S: '!owner' }, sk: { S: '!owner' } } as const;

/**
 * Creates the tables in a DynamoDB that several brokers share, unless they exist, and checks that all brokers have the
 * same master key: with two keys they would discard each other's tokens and log in by turns. Throws a `StartError` if
 * the DynamoDB does not answer or its table belongs to another key.
 */
export async function joinSharedDynamodb(url: string, environment: Environment, masterKey: Buffer): Promise<void> {
  const client = new DynamoDBClient(awsClientConfig({ service: 'DYNAMODB' }, environment));
  try {
    await makeTables(environment);
    const mark = deriveKey(masterKey, 'owner of a shared table').toString('hex');
    if ((await ownerOf(client, mark)) !== mark) {
      throw new StartError(
        `The tables in the DynamoDB at ${url} belong to another key. Give the --data DIR that its other brokers have, or begin with an empty DynamoDB.`,
      );
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer that can be used';
    throw new StartError(
      `The DynamoDB at ${url} does not answer (${code}). Start it, or leave --dynamodb out for an embedded one.`,
    );
  } finally {
    client.destroy();
  }
}

/** Writes the mark unless there is one, and returns the mark in the table. */
async function ownerOf(client: DynamoDBClient, mark: string): Promise<string | undefined> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: TABLE,
        Item: { ...OWNER_KEY, mark: { S: mark } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    return mark;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
  const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: OWNER_KEY, ConsistentRead: true }));
  return Item?.['mark']?.S;
}
