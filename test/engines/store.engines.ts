import { describeStoreContract } from '../functions/adapters/dynamodb/store-contract.ts';
import { describeStoreRace } from '../functions/adapters/dynamodb/store-race.ts';
import { startDynamodbLocal } from './dynamodb-local.ts';

describeStoreContract('DynamoDB Local', startDynamodbLocal);
describeStoreRace('DynamoDB Local', startDynamodbLocal);
