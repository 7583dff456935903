import { randomBytes } from 'node:crypto';

/** An access token and its end. */
export interface AccessToken {
  readonly value: string;
  /** Epoch ms by the server's clock. */
  readonly expiresAt: number;
}

/** Issues and judges the demo OAuth server's tokens: random text that only this server can read anything from. */
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

/** Creates the tokens of a server, none at first. It remembers the newest 1,000. */
export function createOAuthTokens(): OAuthTokens {
  let issued: (AccessToken & { readonly at: number })[] = [];
  return {
    issue(expiresAt) {
      const token = { value: `at_${randomBytes(24).toString('base64url')}`, expiresAt, at: Date.now() };
      issued = [...issued.slice(1 - TOKENS_REMEMBERED), token];
      return token;
    },
    newest: (now) => issued.findLast(({ expiresAt }) => expiresAt > now),
    isGood(value, { now, tokensOverlap }) {
      const token = issued.find((each) => each.value === value);
      return token !== undefined && token.expiresAt > now && (tokensOverlap || token === issued.at(-1));
    },
    issuedSince: (at) => issued.filter((token) => token.at >= at).length,
    revokeAll() {
      issued = [];
    },
  };
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

/** Creates the refresh tokens of a consent. Under `reuse-ends-all` one used again ends them all (RFC 9700 §4.14.2). */
export function createRefreshTokens(first: string): RefreshTokens {
  const usedAt = new Map<string, number | undefined>([[first, undefined]]);
  return {
    use(value, { rotation, rotationGraceSeconds }) {
      if (!usedAt.has(value)) return undefined;
      const used = usedAt.get(value);
      if (rotation === 'none') return value;
      if (used !== undefined && Date.now() >= used + rotationGraceSeconds * 1000) {
        if (rotation === 'reuse-ends-all') usedAt.clear();
        return undefined;
      }
      usedAt.set(value, used ?? Date.now());
      const next = `rt_${randomBytes(24).toString('base64url')}`;
      usedAt.set(next, undefined);
      return next;
    },
  };
}
