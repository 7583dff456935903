import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { ServedSubjects } from '../functions/core/slot/connection.ts';
import type { Provider } from '../functions/core/slot/provider.ts';
import { describeUser, isServed, isUserSubject, SUBJECT_PATTERN, SYSTEM } from '../functions/core/slot/slot.ts';

/** A broker as other constructs use it. */
export interface ITokenBroker {
  /** Address of the API, without a slash at the end. */
  readonly url: string;
  /**
   * Lets `grantee` have tokens of a connection: the system's alone, or those of `subjects` alone. Covers `GET`, and
   * `POST`, with which a caller reports a token that the upstream refused. Throws for an unknown connection, for a
   * subject that the connection does not serve, and for a grantee of another account.
   */
  grantToken(grantee: iam.IGrantable, connection: string, options?: SubjectsOption): iam.Grant;
  /** Lets `grantee` call the upstream through the broker, with the methods and paths that the connection declares. */
  grantProxy(grantee: iam.IGrantable, connection: string, options?: SubjectsOption): iam.Grant;
  /** Lets `grantee` see the state of a connection, or of all that there are, and drop its cached tokens. */
  grantOperate(grantee: iam.IGrantable, connection?: string): iam.Grant;
}

/** The subjects of a grant. */
export interface SubjectsOption {
  /** `system`, or users as the provider writes them. Default `system` alone. */
  readonly subjects?: readonly string[];
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
  readonly region: string;
  readonly account: string;
  readonly connections: ReadonlyMap<string, GrantableConnection>;
}

/** Methods of a hand-out. */
const TOKEN_METHODS = ['GET', 'POST'];

/**
 * Creates the grants over one API. Each names the method and the path, never a wildcard in front of something narrower:
 * IAM's `*` reaches across `/`.
 */
export function createGrants(broker: GrantedApi): Pick<ITokenBroker, 'grantToken' | 'grantProxy' | 'grantOperate'> {
  const { scope, apiId, region, account, connections } = broker;

  function requireConnection(name: string): GrantableConnection {
    const connection = connections.get(name);
    if (connection !== undefined) return connection;
    throw new Error(
      `There is no connection ${JSON.stringify(name)}. There are: ${[...connections.keys()].join(', ')}.`,
    );
  }

  function arnOf(method: string, path: string): string {
    return Stack.of(scope).formatArn({
      service: 'execute-api',
      region,
      account,
      resource: apiId,
      resourceName: `$default/${method}/${path}`,
    });
  }

  function grant(grantee: iam.IGrantable, resourceArns: string[]): iam.Grant {
    const { principalAccount } = grantee.grantPrincipal;
    if (isAnother(principalAccount, account)) {
      throw new Error(
        `The grantee is of account ${principalAccount} and the broker of ${account}. An HTTP API takes no caller of another account: make a role in ${account} that the other account may assume, and grant to that.`,
      );
    }
    const given = iam.Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns, scope });
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
      const subjects = checkSubjects(name, connection, options);
      return grant(
        grantee,
        subjects.flatMap((subject) => TOKEN_METHODS.map((method) => arnOf(method, `tokens/${name}/${subject}`))),
      );
    },

    grantProxy(grantee, name, options) {
      const connection = requireConnection(name);
      const { proxy } = connection;
      if (proxy === undefined) {
        throw new Error(`The connection ${name} declares no proxy: give it a \`proxy\` with its methods and paths.`);
      }
      const roots = checkSubjects(name, connection, options).map((subject) => `proxy/${name}/${subject}`);
      return grant(
        grantee,
        roots.flatMap((root) =>
          proxy.methods.flatMap((method) => pathsUnder(root, proxy.paths).map((path) => arnOf(method, path))),
        ),
      );
    },

    grantOperate(grantee, name) {
      if (name !== undefined) requireConnection(name);
      const names = name === undefined ? [...connections.keys()] : [name];
      return grant(grantee, [
        arnOf('GET', 'connections'),
        ...names.flatMap((each) => [arnOf('GET', `connections/${each}`), arnOf('DELETE', `tokens/${each}/*`)]),
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

function checkSubjects(
  name: string,
  { subjects: served, provider }: GrantableConnection,
  options: SubjectsOption = {},
): readonly string[] {
  const { subjects = [SYSTEM] } = options;
  if (subjects.length === 0)
    throw new Error(`A grant on ${name} names no subject: leave \`subjects\` out for the system alone.`);
  for (const subject of subjects) {
    if (subject !== SYSTEM && !isSubject(subject, provider)) {
      const words = provider?.userSubject === undefined ? 'a user of the upstream' : describeUser(provider.userSubject);
      throw new Error(
        `${JSON.stringify(subject)} is not a subject: it is \`system\`, or ${words}. There is no wildcard.`,
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
