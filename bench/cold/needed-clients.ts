import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';

const dynamodb = new DynamoDBClient({});
const kms = new KMSClient({});
export const lambda = new LambdaClient({});

/** Sends the AWS requests of a first hand-out with the unmodified SDK: one read and one decryption. */
export const handler = async () => {
  const key = { pk: { S: 'helpdesk' }, sk: { S: 'system#0000000000000000' } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: 'token-broker', Key: key }));
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: Item?.['dk']?.B }));
  return { statusCode: Plaintext === undefined ? 500 : 200, body: '{}' };
};
