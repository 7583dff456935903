// @ts-check
import { createBrokerStack } from '@token-broker/broker';
import { App } from 'aws-cdk-lib';
import connections from './connections.mjs';

// Settings are under `context` in cdk.json.
export const stack = createBrokerStack(new App(), connections);

// To let in a role that exists already, and give it tokens of one connection:
// import { Role } from 'aws-cdk-lib/aws-iam';
// stack.broker.grantToken(Role.fromRoleArn(stack, 'Jobs', 'arn:aws:iam::123456789012:role/jobs'), 'helpdesk');
