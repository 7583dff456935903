/**
 * Client of a token broker. Adapters for axios, got and undici are entry points of their own: `adapters/`.
 *
 * @example
 * const client = createTokenBrokerClient({ upstreams: { wfm: 'https://wfm.example/api' } });
 * const response = await client.fetch('wfm', '/employees');
 */
export type { ConnectionStatus, ConnectionSummary, SlotStatus } from './broker-api.ts';
export type { Clock } from './clock.ts';
export { TokenBrokerError, type TokenBrokerErrorKind } from './error.ts';
export { type HandOut, hashOf, tokenHashOf, type WireHandOut } from './hand-out.ts';
export type { ProxyInit } from './proxy-call.ts';
export type { AwsCredentials, CredentialProvider } from './signing.ts';
export {
  createTokenBrokerClient,
  type TokenBrokerClient,
  type TokenBrokerClientOptions,
  type TokenOptions,
} from './token-broker-client.ts';
export type { TokenUse } from './token-use.ts';
export type { Fetch } from './transport.ts';
export type { UpstreamInit, Upstreams } from './upstream-fetch.ts';
