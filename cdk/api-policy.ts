import { Lazy, Stack, Token } from 'aws-cdk-lib';
import type { CfnRestApi } from 'aws-cdk-lib/aws-apigateway';
import type { ApiRoute } from '../functions/api/routes.ts';
import { STAGE } from '../functions/api/routes.ts';
import { CALLER_FORMS } from '../functions/configuration/fields.ts';

/** Characters that API Gateway takes in a resource policy. */
const MOST_CHARACTERS = 8_192;
/** Characters of an ARN that is known only when it is deployed: of a role with a long name. */
const UNKNOWN_ARN_CHARACTERS = 100;

/** The action of a call of the API. */
export const INVOKE = 'execute-api:Invoke';
const EVERYTHING = 'execute-api:/*';

const { account: ACCOUNT, organisation: ORGANISATION } = CALLER_FORMS;
/** The ARN that stands for an account. */
const ROOT_ARN = /:iam::([0-9]{12}):root$/;

/** Callers whom the API lets in; IAM says what each of them may do. */
export interface CallerNames {
  /** Names the principal of a grant: an ARN, or the id of an account. */
  add(caller: string): void;
  /** True if the operator gave `callers`: a principal whose ARN is not known here may be among them. */
  readonly areGiven: boolean;
}

/**
 * Closes an API to everybody whom the broker's configuration does not name. The policy allows the open routes and the
 * grants to other accounts, and nothing else: within an account an Allow alone would let a caller in without a grant.
 * One Deny refuses all who are not named, however wide their own permissions are.
 *
 * `callers` are ARN patterns of roles and users, account ids and organisation ids. Throws for anything else; a
 * policy over API Gateway's limit is an error at synth.
 */
export function closeApi(
  api: CfnRestApi,
  {
    callers,
    routes,
    vpcEndpoints,
  }: {
    readonly callers: readonly string[];
    readonly routes: readonly ApiRoute[];
    /** The endpoints by which alone a private API is reached; empty for a regional one. */
    readonly vpcEndpoints: readonly string[];
  },
): CallerNames {
  const odd = callers.find((each) => !Object.values(CALLER_FORMS).some((form) => form.test(each)));
  if (odd !== undefined) {
    throw new Error(
      `${JSON.stringify(odd)} is no caller: name roles and users by ARN (\`*\` for any text), accounts by their 12 digits, organisations by id (o-…).`,
    );
  }
  const named = new Set(callers);
  const open = routes
    .filter(({ authorization }) => authorization === 'NONE')
    .map(({ method, resource }) => resourceOf(`${method}${resource}`));
  // The statements that grants to other accounts add.
  const granted = api.policy;
  const stack = Stack.of(api);

  function buildPolicy() {
    const { Statement: allowed = [] } = (stack.resolve(granted) ?? {}) as { readonly Statement?: readonly unknown[] };
    const everybody = { Principal: '*', Action: INVOKE };
    return {
      Version: '2012-10-17',
      Statement: [
        ...(open.length === 0 ? [] : [{ Effect: 'Allow', ...everybody, Resource: open }]),
        ...allowed,
        {
          Effect: 'Deny',
          ...everybody,
          ...(open.length === 0 ? { Resource: EVERYTHING } : { NotResource: open }),
          ...conditionOf([...named]),
        },
        ...(vpcEndpoints.length === 0
          ? []
          : [
              {
                Effect: 'Deny',
                ...everybody,
                Resource: EVERYTHING,
                Condition: { StringNotEquals: { 'aws:SourceVpce': vpcEndpoints } },
              },
            ]),
      ],
    };
  }

  api.policy = Lazy.any({ produce: buildPolicy });
  api.node.addValidation({
    validate: () => {
      const characters = lengthOf(stack.resolve(buildPolicy()));
      if (characters <= MOST_CHARACTERS) return [];
      return [
        `The API's resource policy would have some ${characters} characters, and API Gateway takes ${MOST_CHARACTERS}. Name many roles by one pattern, an account or an organisation in \`callers\`.`,
      ];
    },
  });
  return {
    areGiven: callers.length > 0,
    add: (caller) => void named.add(ROOT_ARN.exec(caller)?.[1] ?? caller),
  };
}

/** Writes a request, which is written as `METHOD/path`, as the policy of its own API names it. */
export function resourceOf(request: string): string {
  return `execute-api:/${STAGE}/${request}`;
}

/** Builds the condition of the Deny: the caller is none of the named. A negated operator holds without its key, too. */
function conditionOf(named: readonly string[]): { readonly Condition?: object } {
  const accounts = named.filter((each) => ACCOUNT.test(each));
  const organisations = named.filter((each) => ORGANISATION.test(each));
  const arns = named.filter((each) => !ACCOUNT.test(each) && !ORGANISATION.test(each));
  const ids = {
    ...(accounts.length === 0 ? {} : { 'aws:PrincipalAccount': accounts }),
    ...(organisations.length === 0 ? {} : { 'aws:PrincipalOrgID': organisations }),
  };
  const condition = {
    ...(arns.length === 0 ? {} : { ArnNotLike: { 'aws:PrincipalArn': arns } }),
    ...(Object.keys(ids).length === 0 ? {} : { StringNotEquals: ids }),
  };
  return Object.keys(condition).length === 0 ? {} : { Condition: condition };
}

/** Counts the characters of a policy when it is deployed; an ARN that is not known yet counts as a long one. */
function lengthOf(policy: unknown): number {
  const placeholder = 'x'.repeat(UNKNOWN_ARN_CHARACTERS);
  return JSON.stringify(policy, (_, value: unknown) => (isIntrinsic(value) ? placeholder : value)).length;
}

function isIntrinsic(value: unknown): boolean {
  if (Token.isUnresolved(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && /^(?:Ref|Fn::.*)$/.test(keys[0] ?? '');
}
