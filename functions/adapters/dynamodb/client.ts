import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsClientConfig, type Environment } from '../aws/client.ts';

/** Creates the client of the store's table; one an instance, since it keeps its connections. */
export function createDynamodbClient(environment: Environment = process.env): DynamoDBClient {
  const client = new DynamoDBClient(awsClientConfig({ service: 'DYNAMODB' }, environment));
  // The SDK's logging middleware copies every answer for a log that the broker does not keep.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
