// @ts-check
import { createBrokerStack } from '@token-broker/broker';
import { App } from 'aws-cdk-lib';
import connections from './connections.mjs';

// Its settings are under `context` in cdk.json. The stack's `broker` has grants: broker.grantToken(role, 'helpdesk').
createBrokerStack(new App(), connections);
