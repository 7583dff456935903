/**
 * What the operator declares: the connections by name, `^[a-z0-9][a-z0-9_-]{0,62}$`, and who beside AWS callers may use
 * them. Holds no credential: those go into Secrets Manager.
 */
export interface ConnectionsDeclaration {
  readonly connections: Readonly<Record<string, ConnectionDeclaration>>;
  /** Refuse a hand-out whose audit record could not be stored (invariant 10). Default false. */
  readonly strictAudit?: boolean;
  /** Workloads outside AWS that may exchange their JWT for a token. Default none. */
  readonly trust?: readonly TrustDeclaration[];
}

/** One upstream. Only `provider` and `baseUrl` are required. */
export interface ConnectionDeclaration {
  /** The kind of upstream: a name from the provider table. */
  readonly provider: string;
  /** https, or http on loopback; its path and a configured path are put together. */
  readonly baseUrl: string;
  /** Take plain http beyond loopback, for an upstream in a private network. Default false. */
  readonly allowPlainHttp?: boolean;
  /** Name or ARN of the secret, without a version; never a value. Default `token-broker/<name>`, made by the stack, empty. */
  readonly secret?: string;
  /** Never hand out a token with fewer seconds left. 0 is allowed. Default 60. */
  readonly minTtlSeconds?: number;
  /** The fraction of its life after which a token is refreshed ahead, between 0 and 1. The provider has the default. */
  readonly refreshAfter?: number;
  /** The schedule refreshes only slots handed out within these seconds. Default: the larger of 3600 and one life. */
  readonly idleSeconds?: number;
  /** Cap in seconds for tokens without expiry or with an absurd one. Default 86400. */
  readonly maxTokenAgeSeconds?: number;
  /** How many seconds a warm instance hands out from memory before it looks at the store. 0 is allowed. Default 30. */
  readonly memorySeconds?: number;
  /** Limit for one upstream call in seconds, 1 to 12. Default 6. */
  readonly timeoutSeconds?: number;
  /** A token younger than these seconds is not renewed on a caller's word. 0 is allowed. Default 60. */
  readonly renewalCooldownSeconds?: number;
  /** An older token lives on when a newer one is issued (C18). False leaves the proxy alone, so it needs `proxy`. Default true. */
  readonly tokensOverlap?: boolean;
  /** Which subjects are served; `staff` is all, none, or a list of PKIDs. Default: all that the provider serves. */
  readonly subjects?: { readonly system?: boolean; readonly staff?: boolean | readonly string[] };
  /** What the proxy may forward. Default: no proxy. */
  readonly proxy?: ProxyDeclaration;
  /** Group of connections that share their functions. Default: the connection's own name. */
  readonly isolation?: string;
  /** Deployed only: id of the VPC in which the connection's functions run. */
  readonly vpc?: string;
  /** Deployed only: ids of those functions' security groups; needs `vpc`. */
  readonly securityGroups?: readonly string[];
  /** PEM text of the CA certificate to trust for this upstream. */
  readonly caCertificate?: string;

  /** Where the provider has it: path that gives the system's token. Default `/user/getsystemtoken`. */
  readonly systemTokenPath?: string;
  /** Where the provider has it: path that gives a staff member's token. Default `/user/gettoken`. */
  readonly userTokenPath?: string;
  /** Where the provider has it: path of the login. Default `/AuthenticateEx`. */
  readonly loginPath?: string;
  /** Where the provider has it: how the login parameter travels (C3). Default `form`; `query` lets the upstream log the password. */
  readonly loginParameter?: 'form' | 'query' | 'json';
  /** Where the provider has it: a cheap gated GET to slide with (C20). Default none: log in again instead. */
  readonly keepAlivePath?: string;
  /** Where the provider fixes it: life of a token in seconds. Default 1200. */
  readonly lifetimeSeconds?: number;
  /** Where the provider has slides: longest chain of slides in seconds. Default 43200. */
  readonly maxSessionSeconds?: number;
  /** A path that a further provider has as a setting. */
  readonly [setting: `${string}Path`]: string;
}

/** What may pass through a connection's proxy. */
export interface ProxyDeclaration {
  /** In upper case. Default `GET` and `HEAD`. */
  readonly methods?: readonly string[];
  /** Path prefixes. Default `/`, which is every path. */
  readonly paths?: readonly string[];
  /** Further request headers to forward, in lower case. Default none. */
  readonly headers?: readonly string[];
  /** Limit for one forwarded call in seconds, 1 to 12. Default 8. */
  readonly timeoutSeconds?: number;
}

/** Workloads that may exchange their JWT: all given conditions must hold. Exactly one of `subject`, `subjectPattern`. */
export interface TrustDeclaration {
  /** https, or http on loopback; equal to the JWT's `iss`. */
  readonly issuer: string;
  /** Must be among the JWT's `aud`. */
  readonly audience: string;
  /** The JWT's exact `sub`. */
  readonly subject?: string;
  /** A regular expression that the whole `sub` must match; anchored at both ends without saying so. */
  readonly subjectPattern?: string;
  /** Further claims, each with the one value that it must have. Default none. */
  readonly claims?: Readonly<Record<string, string | number | boolean>>;
  /** Where the issuer's keys are. Default: found by its discovery document. */
  readonly jwksUri?: string;
  /** Names of declared connections. */
  readonly connections: readonly string[];
  /** Subjects of those connections. Default `system` alone. */
  readonly subjects?: readonly string[];
}

/** Gives the declaration back as it is, typed, for the default export of a connections file. Checks nothing. */
export function defineConnections(declaration: ConnectionsDeclaration): ConnectionsDeclaration {
  return declaration;
}
