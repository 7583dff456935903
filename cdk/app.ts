import { App } from 'aws-cdk-lib';
import { createBrokerStack } from './broker-stack.ts';
import { buildFunctions } from './build-functions.ts';
import { loadDeclared } from './settings.ts';

const connections = await loadDeclared();
await buildFunctions();
createBrokerStack(new App(), connections);
