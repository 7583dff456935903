import { startEmbeddedDynamodb } from '../../../../local/embedded-dynamodb.ts';
import { describeStoreRace } from './store-race.ts';

describeStoreRace('the embedded DynamoDB', () => startEmbeddedDynamodb({}));
