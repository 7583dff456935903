import { BrokerError } from '../../core/words/errors.ts';

/** The error of an operation that DynamoDB did not do. The SDK's error may hold the request, hence no cause. */
export function createUnavailableError(operation: string): BrokerError {
  return new BrokerError(
    'store_unavailable',
    `The token store did not do what it was asked (${operation}); try again.`,
  );
}
