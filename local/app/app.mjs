// @ts-check
import { TokenBrokerStack } from '@token-broker/broker';
import { App } from 'aws-cdk-lib';
import connections from './connections.mjs';

const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;

new TokenBrokerStack(new App(), 'TokenBroker', {
  env: { account, region },
  broker: () => ({
    connections,
    // Nobody else gets in. This is whomever IAM lets in of the whole account: name roles in its place,
    // 'arn:aws:iam::123456789012:role/jobs'.
    callers: account === undefined ? [] : [account],
  }),
});
