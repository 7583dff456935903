import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { createGrants, type GrantableConnection, type ITokenBroker } from './grants.ts';

/** The place of a broker that was deployed before, and what it serves. */
export interface BrokerAttributes {
  readonly apiId: string;
  /** Address of the API; default: the one that API Gateway gives. */
  readonly url?: string;
  /** Default: those of the importing stack. Callers are of the broker's own account. */
  readonly region?: string;
  readonly account?: string;
  /** The connections by name, with what is to be checked of each: `{ helpdesk: {} }` where that is nothing. */
  readonly connections: Readonly<Record<string, GrantableConnection>>;
}

/** Refers to a deployed broker from an app that only calls it. Makes no resource. */
export function importBroker(scope: Construct, id: string, attributes: BrokerAttributes): ITokenBroker {
  const construct = new Construct(scope, id);
  const stack = Stack.of(construct);
  const { apiId, region = stack.region, account = stack.account, connections } = attributes;
  return {
    url: attributes.url ?? `https://${apiId}.execute-api.${region}.${stack.urlSuffix}`,
    ...createGrants({
      scope: construct,
      apiId,
      region,
      account,
      connections: new Map(Object.entries(connections)),
    }),
  };
}
