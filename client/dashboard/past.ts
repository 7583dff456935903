import type { History, SpanName } from './history.ts';

/** Form of a token hash in a question: its 12 digits, or the whole SHA-256. */
export const TOKEN_HASH = /^(?:[0-9a-f]{12}|[0-9a-f]{64})$/;

/** Question about hand-outs. */
export interface HandOutQuery {
  /** Epoch milliseconds. */
  readonly since: number;
  readonly connection: string | undefined;
  readonly subject: string | undefined;
  /** Part of the caller's ARN, or of the federated identity. */
  readonly caller: string | undefined;
  /** Token hash: the first 12 hex digits of the token's SHA-256. */
  readonly tokenHash: string | undefined;
  readonly limit: number;
}

/** One hand-out, as the audit has it. */
export interface HandOutRecord {
  readonly at: string;
  readonly caller: string;
  readonly connection: string;
  readonly subject: string;
  /** Token hash. */
  readonly token: string;
  readonly generation: number;
  readonly source: string;
  readonly via?: string | undefined;
  readonly requestId: string;
}

/** Past of a broker, which its own API does not tell. Both methods reject with a `TokenBrokerError`. */
export interface Past {
  history(span: SpanName): Promise<History>;
  /** Gets hand-outs, the latest first. */
  handOuts(query: HandOutQuery): Promise<readonly HandOutRecord[]>;
}
