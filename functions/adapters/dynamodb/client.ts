import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsClientConfig, type Environment, trimClient } from '../aws/client.ts';

/** Creates the client of the store's table; one an instance, since it keeps its connections. */
export function createDynamodbClient(environment: Environment = process.env): DynamoDBClient {
  return trimClient(new DynamoDBClient(awsClientConfig({ service: 'DYNAMODB' }, environment)));
}
