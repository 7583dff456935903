import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { createTokenKey, type TokenKey } from './token-key.ts';

const sealedContents = z.strictObject({ session: z.string(), serial: z.int(), expiresAt: z.number() });

/** Contents of a demo CommunityWebAPI token, encrypted in it. */
export type CommunityToken = z.infer<typeof sealedContents>;

/** Rules for accepting a token. */
export interface TokenRules {
  /** Epoch ms by the server's clock. */
  readonly now: number;
  readonly tokensOverlap: boolean;
  readonly maxSlides: number | null;
}

/** Issues and judges the demo CommunityWebAPI's tokens. */
export interface CommunityTokens {
  /** Issues the first token of a new session. */
  begin(expiresAt: number): string;
  /** Issues the next token of the session of `token`. */
  slide(token: CommunityToken, expiresAt: number): string;
  /** Decrypts a token; undefined if it is not one of ours, expired or revoked. */
  open(text: string, rules: TokenRules): CommunityToken | undefined;
  /** Revokes every token issued so far. */
  revokeAll(): void;
}

/** Prefix of every token, `+/+/` in base64, so that every token has characters that need escaping. */
const MARK = Buffer.of(0xfb, 0xff, 0xbf);
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SESSIONS_REMEMBERED = 1000;

/**
 * Seals tokens with AES-256-GCM under a key that each revocation renews.
 *
 * A token holds its own expiry, so each has its own lifetime (C15, C18). Only slides are counted, for the newest 1,000
 * sessions.
 */
export function createCommunityTokens(key: TokenKey = createTokenKey()): CommunityTokens {
  let lastSerial = 0;
  const slidesBySession = new Map<string, number>();

  function issue(session: string, expiresAt: number): string {
    lastSerial += 1;
    return seal({ session, serial: lastSerial, expiresAt }, key.current());
  }

  return {
    begin(expiresAt) {
      const session = randomUUID();
      slidesBySession.set(session, 0);
      const oldest = slidesBySession.keys().next().value;
      if (slidesBySession.size > SESSIONS_REMEMBERED && oldest !== undefined) slidesBySession.delete(oldest);
      return issue(session, expiresAt);
    },
    slide(token, expiresAt) {
      slidesBySession.set(token.session, (slidesBySession.get(token.session) ?? 0) + 1);
      return issue(token.session, expiresAt);
    },
    open(text, rules) {
      const token = unseal(text, key.current());
      if (token === undefined || token.expiresAt <= rules.now) return undefined;
      if (!rules.tokensOverlap && token.serial !== lastSerial) return undefined;
      const slides = slidesBySession.get(token.session) ?? 0;
      return rules.maxSlides !== null && slides >= rules.maxSlides ? undefined : token;
    },
    revokeAll: key.renew,
  };
}

function seal(token: CommunityToken, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const json = JSON.stringify(token);
  const bytes = MARK.length + IV_BYTES + TAG_BYTES + Buffer.byteLength(json);
  // Add white space where needed, so that the base64 ends in `=`.
  const plain = bytes % 3 === 0 ? `${json} ` : json;
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([MARK, iv, cipher.getAuthTag(), sealed]).toString('base64');
}

function unseal(text: string, key: Buffer): CommunityToken | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Compare the characters: base64 decoding also accepts altered text (C11).
  if (bytes.toString('base64') !== text) return undefined;
  const ivAt = MARK.length;
  const tagAt = ivAt + IV_BYTES;
  const sealedAt = tagAt + TAG_BYTES;
  if (bytes.length <= sealedAt) return undefined;
  try {
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(ivAt, tagAt), options);
    decipher.setAuthTag(bytes.subarray(tagAt, sealedAt));
    const plain = Buffer.concat([decipher.update(bytes.subarray(sealedAt)), decipher.final()]);
    return sealedContents.parse(JSON.parse(plain.toString('utf8')));
  } catch {
    return undefined;
  }
}
