/**
 * A serverless token broker as a construct for CDK.
 *
 * @example
 * const broker = new TokenBroker(stack, 'Broker', {
 *   connections: defineConnections({
 *     connections: { helpdesk: { provider: 'helpmaster', baseUrl: 'https://help.example.com/api' } },
 *   }),
 * });
 * broker.grantToken(role, 'helpdesk');
 */
export type { CallerNames } from '../../cdk/api-policy.ts';
export { createBrokerStack } from '../../cdk/broker-stack.ts';
export type { BrokerCanary } from '../../cdk/canary.ts';
export type { ConcurrencyProps } from '../../cdk/concurrency.ts';
export type { GrantableConnection, ITokenBroker, SubjectsOption, TokenOptions } from '../../cdk/grants.ts';
export type { BrokerAttributes } from '../../cdk/imported-broker.ts';
export type { BrokerApi, BrokerDomain, BrokerEndpoint, BrokerThrottle } from '../../cdk/rest-api.ts';
export type { Rollout } from '../../cdk/rollout.ts';
export { TokenBroker, type TokenBrokerProps } from '../../cdk/token-broker.ts';
export { TokenBrokerStack, type TokenBrokerStackProps } from '../../cdk/token-broker-stack.ts';
export type { Configuration } from '../../functions/configuration/configuration.ts';
export { ConfigurationError, type Problem } from '../../functions/configuration/errors.ts';
export { loadConfigurationFile } from '../../functions/configuration/load-file.ts';
export type { Connection, ProxyPolicy, ServedSubjects } from '../../functions/core/slot/connection.ts';
export * from './connections.ts';
