// oidc-provider has no types of its own; these are the parts in use.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Saved {
    save(): Promise<string>;
  }

  interface Grant extends Saved {
    addOIDCScope(scope: string): void;
  }

  interface Request {
    readonly req: IncomingMessage;
  }

  interface Client {
    readonly clientId: string;
  }

  export default class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    readonly Client: { find(id: string): Promise<Client | undefined> };
    readonly Grant: new (of: {
      readonly accountId: string;
      readonly clientId: string;
    }) => Grant;
    readonly RefreshToken: new (
      of: Readonly<Record<string, unknown>>,
    ) => Saved;
    readonly ClientCredentials: { find(token: string): Promise<Readonly<Record<string, unknown>> | undefined> };
    readonly AccessToken: { find(token: string): Promise<Readonly<Record<string, unknown>> | undefined> };
  }
  export type { Request };
}
