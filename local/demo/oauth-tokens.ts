import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createTokenKey, type TokenKey } from './token-key.ts';

/** An access token and its end. */
export interface AccessToken {
  readonly value: string;
  /** Epoch ms by the server's clock. */
  readonly expiresAt: number;
}

/** Issues and checks the demo OAuth server's tokens, which nobody else can read. */
export interface OAuthTokens {
  issue(expiresAt: number): AccessToken;
  /** Returns the newest token, unless it has ended. */
  newest(now: number): AccessToken | undefined;
  /** Reports whether a token is good. */
  isGood(value: string, rules: { readonly now: number; readonly tokensOverlap: boolean }): boolean;
  /** Counts the tokens issued since a time by the real clock. */
  issuedSince(at: number): number;
  revokeAll(): void;
}

const TOKENS_REMEMBERED = 1000;
const RANDOM_BYTES = 16;
const END_BYTES = 8;
const MAC_BYTES = 16;

/**
 * Creates the tokens of a server, none at first. A token holds its own end and a signature, so that a server that
 * starts again with the same key takes it. The newest 1,000 of this start are remembered.
 */
export function createOAuthTokens(key: TokenKey = createTokenKey()): OAuthTokens {
  let issued: (AccessToken & { readonly at: number })[] = [];
  return {
    issue(expiresAt) {
      const end = Buffer.alloc(END_BYTES);
      end.writeDoubleBE(expiresAt);
      const value = `at_${sign(Buffer.concat([end, randomBytes(RANDOM_BYTES)]), key)}`;
      const token = { value, expiresAt, at: Date.now() };
      issued = [...issued.slice(1 - TOKENS_REMEMBERED), token];
      return token;
    },
    newest: (now) => issued.findLast(({ expiresAt }) => expiresAt > now),
    isGood(value, { now, tokensOverlap }) {
      const contents = value.startsWith('at_') ? open(value.slice(3), key) : undefined;
      if (contents === undefined || contents.readDoubleBE() <= now) return false;
      const newest = issued.at(-1);
      return tokensOverlap || newest === undefined || newest.value === value;
    },
    issuedSince: (at) => issued.filter((token) => token.at >= at).length,
    revokeAll() {
      key.renew();
      issued = [];
    },
  };
}

function sign(contents: Buffer, key: TokenKey): string {
  return Buffer.concat([contents, macOf(contents, key)]).toString('base64url');
}

/** Reads the contents of a text that `sign` made; undefined for any other, even another spelling of the same bytes. */
function open(text: string, key: TokenKey): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== text) return undefined;
  const contents = bytes.subarray(0, -MAC_BYTES);
  return timingSafeEqual(bytes.subarray(-MAC_BYTES), macOf(contents, key)) ? contents : undefined;
}

function macOf(contents: Buffer, key: TokenKey): Buffer {
  return createHmac('sha256', key.current()).update(contents).digest().subarray(0, MAC_BYTES);
}

/** The refresh tokens of one consent, each but the newest used. */
export interface RefreshTokens {
  /**
   * Uses a refresh token, and returns the one to use next. Undefined: it is none of these, or was used and its grace
   * has passed.
   */
  use(value: string, rules: RotationRules): string | undefined;
}

/** Treatment of a refresh token that was used. */
export interface RotationRules {
  readonly rotation: 'none' | 'every-use' | 'reuse-ends-all';
  readonly rotationGraceSeconds: number;
}

/**
 * Creates the refresh tokens of a consent. Under `reuse-ends-all` one used again ends them all (RFC 9700 §4.14.2). A
 * server that starts again with the same key takes the tokens of before, and has forgotten which of them were used.
 */
export function createRefreshTokens(first: string, key: TokenKey = createTokenKey()): RefreshTokens {
  const usedAt = new Map<string, number>();
  let isEnded = false;
  const isKnown = (value: string) =>
    value === first || (value.startsWith('rt_') && open(value.slice(3), key) !== undefined);
  return {
    use(value, { rotation, rotationGraceSeconds }) {
      if (isEnded || !isKnown(value)) return undefined;
      if (rotation === 'none') return value;
      const used = usedAt.get(value);
      if (used !== undefined && Date.now() >= used + rotationGraceSeconds * 1000) {
        isEnded = rotation === 'reuse-ends-all';
        return undefined;
      }
      usedAt.set(value, used ?? Date.now());
      return `rt_${sign(randomBytes(RANDOM_BYTES), key)}`;
    },
  };
}
