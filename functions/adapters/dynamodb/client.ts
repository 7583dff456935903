import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { USER_AGENT } from '../../http/user-agent.ts';
import { awsClientConfig, type Environment } from '../aws/client.ts';

/** Creates the client of the store's table; one an instance, since it keeps its connections. */
export function createDynamodbClient(environment: Environment = process.env): DynamoDBClient {
  const client = new DynamoDBClient(awsClientConfig({ service: 'DYNAMODB' }, environment));
  const { middlewareStack } = client;
  // The SDK's logging middleware copies every answer for a log that the broker does not keep.
  middlewareStack.remove('loggerMiddleware');
  // Its user agent is put together from some twenty parts for every request. The broker's says who asks, in CloudTrail too.
  middlewareStack.remove('getUserAgentMiddleware');
  middlewareStack.add(
    (next) => (args) => {
      // A request of HTTP, as every one of DynamoDB's is by this step.
      Object.assign((args.request as { readonly headers: object }).headers, { 'user-agent': USER_AGENT });
      return next(args);
    },
    { step: 'build', name: 'userAgentMiddleware' },
  );
  return client;
}
