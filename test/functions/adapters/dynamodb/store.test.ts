import { startEmbeddedDynamodb } from '../../../../local/embedded-dynamodb.ts';
import { describeStoreContract } from './store-contract.ts';

describeStoreContract('the embedded DynamoDB', () => startEmbeddedDynamodb({}));
