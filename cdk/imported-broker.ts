import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { STAGE } from '../functions/api/routes.ts';
import { NAME_PATTERN, NAME_RULE, proxyMethods, proxyPaths } from '../functions/configuration/fields.ts';
import { SUBJECT_PATTERN } from '../functions/core/slot/slot.ts';
import { createGrants, type GrantableConnection, type ITokenBroker } from './grants.ts';

/** The place of a broker that was deployed before, and what it serves. */
export interface BrokerAttributes {
  readonly apiId: string;
  /** Address of the API; default: the one that API Gateway gives. */
  readonly url?: string;
  /** Default: those of the importing stack. Callers are of the broker's own account, and named in its `callers`. */
  readonly region?: string;
  readonly account?: string;
  /** The connections by name, with what is to be checked of each: `{ helpdesk: {} }` where that is nothing. */
  readonly connections: Readonly<Record<string, GrantableConnection>>;
}

/**
 * Refers to a deployed broker from an app that only calls it. Makes no resource. Throws for what no declaration could
 * hold: a name, a path or a place with `*` would grant more than it says.
 */
export function importBroker(scope: Construct, id: string, attributes: BrokerAttributes): ITokenBroker {
  const construct = new Construct(scope, id);
  const stack = Stack.of(construct);
  const { apiId, region = stack.region, account = stack.account, connections } = attributes;
  checkPlace({ apiId, region, account });
  for (const [name, connection] of Object.entries(connections)) checkImported(name, connection);
  return {
    url: attributes.url ?? `https://${apiId}.execute-api.${region}.${stack.urlSuffix}/${STAGE}`,
    ...createGrants({
      scope: construct,
      apiId,
      region,
      account,
      connections: new Map(Object.entries(connections)),
    }),
  };
}

const PLACE = { apiId: /^[a-z0-9]+$/, region: /^[a-z0-9-]+$/, account: /^[0-9]{12}$/ } as const;

/** Throws for what is no place of one API; what is not known at synth passes. */
function checkPlace(place: Readonly<Record<keyof typeof PLACE, string>>): void {
  for (const name of ['apiId', 'region', 'account'] as const) {
    if (Token.isUnresolved(place[name]) || PLACE[name].test(place[name])) continue;
    throw new Error(`The ${name} ${JSON.stringify(place[name])} of the broker names no one API.`);
  }
}

function checkImported(name: string, { proxy, subjects }: GrantableConnection): void {
  if (!NAME_PATTERN.test(name)) {
    throw new Error(`${JSON.stringify(name)} is not a name for a connection: use ${NAME_RULE}.`);
  }
  const users = subjects === undefined || typeof subjects.users === 'boolean' ? [] : subjects.users;
  const odd = users.find((user) => !SUBJECT_PATTERN.test(user));
  if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} is not a subject of the connection ${name}.`);
  if (proxy === undefined) return;
  const checks = [proxyMethods.safeParse(proxy.methods), proxyPaths.safeParse(proxy.paths)];
  const [problem] = checks.flatMap(({ error }) => error?.issues ?? []);
  if (problem !== undefined) throw new Error(`A method or path of the proxy of ${name} ${problem.message}.`);
}
