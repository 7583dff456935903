import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { STAGE } from '../functions/api/routes.ts';
import type { ServedSubjects } from '../functions/core/slot/connection.ts';
import type { Provider } from '../functions/core/slot/provider.ts';
import { describeUser, isServed, isUserSubject, SUBJECT_PATTERN, SYSTEM } from '../functions/core/slot/slot.ts';
import { INVOKE, resourceOf } from './api-policy.ts';
import { findAccount, nameCaller } from './named-callers.ts';
import type { BrokerApi } from './rest-api.ts';
import { inParts, lengthOf } from './statement-parts.ts';

/** A broker as other constructs use it. */
export interface ITokenBroker {
  /** Address of the API, without a slash at the end. */
  readonly url: string;
  /**
   * Lets `grantee` have tokens of a connection: the system's alone, or those of `subjects` alone. Covers `GET`, and
   * unless `reports` is false `POST`, with which a caller reports a token that the upstream rejected. The API lets the
   * grantee in; to one of another account it allows the same, and the policies there must do so too. Throws for an
   * unknown connection, for a subject that the connection does not serve, for a grantee that the API's policy cannot
   * name, and where a role could not carry the grant.
   */
  grantToken(grantee: iam.IGrantable, connection: string, options?: TokenOptions): iam.Grant;
  /** Lets `grantee` call the upstream through the broker, with the methods and paths that the connection declares. */
  grantProxy(grantee: iam.IGrantable, connection: string, options?: SubjectsOption): iam.Grant;
  /** Lets `grantee` see the state of one connection or of all, try its login, and drop its cached tokens. */
  grantOperate(grantee: iam.IGrantable, connection?: string): iam.Grant;
}

/** The subjects of a grant. */
export interface SubjectsOption {
  /**
   * `system`, or users as the provider writes them; default `system` alone. `all` is every subject that the connection
   * serves. `principalTag` is the one subject that this tag of the caller's session or role names, such as
   * `{ principalTag: 'staff-pkid' }`: whoever may set the tag decides who the caller is.
   */
  readonly subjects?: readonly string[] | 'all' | { readonly principalTag: string };
}

/** Subjects of a grant on tokens, and whether the grantee may report one as refused. */
export interface TokenOptions extends SubjectsOption {
  /** False: the grantee may not report a token as rejected, and so can cause no login that nobody needs. Default true. */
  readonly reports?: boolean;
}

/** A connection as a grant sees it. Where a part is left out, it is not checked. */
export interface GrantableConnection {
  readonly subjects?: ServedSubjects;
  /** Provider, to check the form of its users. */
  readonly provider?: Pick<Provider, 'userSubject'>;
  readonly tokensOverlap?: boolean;
  readonly proxyOnly?: boolean;
  /** The proxy's policy; absent where the connection has no proxy. */
  readonly proxy?: { readonly methods: readonly string[]; readonly paths: readonly string[] };
}

/** The API that grants are over: its place, and the connections that it serves. */
export interface GrantedApi {
  readonly scope: Construct;
  readonly apiId: string;
  /** The API, where it is of this app: its policy names whom something is granted. */
  readonly api?: Pick<BrokerApi, 'api' | 'callers'>;
  readonly region: string;
  readonly account: string;
  readonly connections: ReadonlyMap<string, GrantableConnection>;
}

/**
 * Most characters of the policies that one role may have: by default quotas 10,240 inline and ten managed policies of
 * 6,144 each, less some room.
 */
const ROLE_CHARACTERS = 10_000 + 10 * 6_000;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/u;

/**
 * Creates the grants over one API. Each names the method and the path, never a wildcard in front of something narrower:
 * IAM's `*` reaches across `/`.
 */
export function createGrants(broker: GrantedApi): Pick<ITokenBroker, 'grantToken' | 'grantProxy' | 'grantOperate'> {
  const { scope, apiId, api, region, account, connections } = broker;

  function requireConnection(name: string): GrantableConnection {
    const connection = connections.get(name);
    if (connection !== undefined) return connection;
    throw new Error(
      `There is no connection ${JSON.stringify(name)}. There are: ${[...connections.keys()].join(', ')}.`,
    );
  }

  /** The ARN of a request, which is written as `METHOD/path`. */
  function arnOf(request: string): string {
    const resourceName = `${STAGE}/${request}`;
    return Stack.of(scope).formatArn({ service: 'execute-api', region, account, resource: apiId, resourceName });
  }

  /** Characters granted so far, by principal. */
  const granted = new Map<iam.IPrincipal, number>();

  function grant(grantee: iam.IGrantable, name: string, requests: readonly string[]): iam.Grant {
    const principal = grantee.grantPrincipal;
    const granteeAccount = findAccount(principal);
    const isForeign = isAnother(granteeAccount, account);
    if (isForeign && api === undefined) {
      throw new Error(
        `The grantee is of account ${granteeAccount} and the broker of ${account}: grant in the broker's own app, since its API must allow it as well.`,
      );
    }
    const parts = [...inParts(requests.map(arnOf))];
    const characters = (granted.get(principal) ?? 0) + parts.length * 100 + lengthOf(parts.flat());
    granted.set(principal, characters);
    if (characters > ROLE_CHARACTERS) {
      throw new Error(
        `With this grant on ${name} the policies of ${principal} have some ${characters} characters, and a role carries ${ROLE_CHARACTERS}. Grant \`subjects: 'all'\`, or the one subject that a tag of the caller names: \`subjects: { principalTag: 'KEY' }\`.`,
      );
    }
    if (api !== undefined) nameCaller(api.callers, principal, api.api);
    // Between accounts both sides must allow: the other one's own policies are made there.
    if (isForeign && api !== undefined) {
      return iam.Grant.addToPrincipalOrResource({
        grantee,
        actions: [INVOKE],
        resourceArns: parts.flat(),
        resource: api.api,
        resourceSelfArns: requests.map(resourceOf),
      });
    }
    const given = parts
      .map((arns) => iam.Grant.addToPrincipal({ grantee, actions: [INVOKE], resourceArns: arns }))
      .reduce((one, other) => one.combine(other));
    if (given.success) return given;
    throw new Error(
      'The grantee has no policy to add to: it is no role or user of this app. Make a role that it may assume, and grant to that.',
    );
  }

  return {
    grantToken(grantee, name, options) {
      const connection = requireConnection(name);
      const { tokensOverlap = true, proxyOnly = false } = connection;
      if (proxyOnly) {
        throw new Error(
          `API calls of ${name} carry a part of its credential, so it hands out no token: use grantProxy.`,
        );
      }
      if (!tokensOverlap) {
        throw new Error(`The connection ${name} has tokensOverlap false and hands out no token: use grantProxy.`);
      }
      const subjects = resolveSubjects(name, connection, options);
      const methods = options?.reports === false ? ['GET'] : ['GET', 'POST'];
      return grant(
        grantee,
        name,
        subjects.flatMap((subject) => methods.map((method) => `${method}/tokens/${name}/${subject}`)),
      );
    },

    grantProxy(grantee, name, options) {
      const connection = requireConnection(name);
      const { proxy } = connection;
      if (proxy === undefined) {
        throw new Error(`The connection ${name} declares no proxy: give it a \`proxy\` with its methods and paths.`);
      }
      const roots = resolveSubjects(name, connection, options).map((subject) => `proxy/${name}/${subject}`);
      return grant(
        grantee,
        name,
        roots.flatMap((root) =>
          proxy.methods.flatMap((method) => pathsUnder(root, proxy.paths).map((path) => `${method}/${path}`)),
        ),
      );
    },

    grantOperate(grantee, name) {
      if (name !== undefined) requireConnection(name);
      const names = name === undefined ? [...connections.keys()] : [name];
      return grant(grantee, name ?? 'all connections', [
        'GET/connections',
        ...names.flatMap((each) => [
          `GET/connections/${each}`,
          `POST/connections/${each}/try`,
          `DELETE/tokens/${each}/*`,
        ]),
      ]);
    },
  };
}

/** The prefixes of a policy as IAM matches them, behind `root`: the path itself and what is under it. */
function pathsUnder(root: string, prefixes: readonly string[]): string[] {
  return prefixes.flatMap((prefix) => {
    const path = `${root}${prefix}`.replace(/\/+$/, '');
    return path === root ? [`${root}/*`] : [path, `${path}/*`];
  });
}

/** Gives the subjects of a grant as IAM matches them. */
function resolveSubjects(
  name: string,
  { subjects: served, provider }: GrantableConnection,
  options: SubjectsOption = {},
): readonly string[] {
  const { subjects = [SYSTEM] } = options;
  if (subjects === 'all') return ['*'];
  if ('principalTag' in subjects) {
    if (TAG_KEY.test(subjects.principalTag)) return [`\${aws:PrincipalTag/${subjects.principalTag}}`];
    throw new Error(`${JSON.stringify(subjects.principalTag)} is not the key of a tag.`);
  }
  if (subjects.length === 0)
    throw new Error(`A grant on ${name} names no subject: leave \`subjects\` out for the system alone.`);
  for (const subject of subjects) {
    if (subject !== SYSTEM && !isSubject(subject, provider)) {
      const words = provider?.userSubject === undefined ? 'a user of the upstream' : describeUser(provider.userSubject);
      throw new Error(
        `${JSON.stringify(subject)} is not a subject: it is \`system\`, or ${words}. For all subjects say 'all'.`,
      );
    }
    if (served !== undefined && !isServed(subject, served)) {
      throw new Error(`The connection ${name} does not serve the subject ${subject}.`);
    }
  }
  return subjects;
}

function isSubject(subject: string, provider: GrantableConnection['provider']): boolean {
  return provider === undefined ? SUBJECT_PATTERN.test(subject) : isUserSubject(provider.userSubject, subject);
}

function isAnother(one: string | undefined, other: string): boolean {
  if (one === undefined || Token.isUnresolved(one) || Token.isUnresolved(other)) return false;
  return one !== other;
}
