import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';

const sealedContents = z.strictObject({ session: z.string(), serial: z.int(), expiresAt: z.number() });

/** What a token of the demo CommunityWebAPI holds, encrypted. */
export type CommunityToken = z.infer<typeof sealedContents>;

/** What decides whether a token is taken. */
export interface TokenRules {
  /** Epoch ms by the server's clock. */
  readonly now: number;
  readonly tokensOverlap: boolean;
  readonly maxSlides: number | null;
}

/** Issues and judges the demo CommunityWebAPI's tokens. */
export interface CommunityTokens {
  /** The first token of a new session. */
  begin(expiresAt: number): string;
  /** The next token of the session that `token` belongs to. */
  slide(token: CommunityToken, expiresAt: number): string;
  /** What `text` holds; undefined when it is not one of ours, ended or revoked. */
  open(text: string, rules: TokenRules): CommunityToken | undefined;
  /** Ends every token issued so far. */
  revokeAll(): void;
}

/** In base64 `+/+/`: every token then needs the care that such characters need. */
const MARK = Buffer.of(0xfb, 0xff, 0xbf);
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SESSIONS_REMEMBERED = 1000;

/**
 * Seals tokens with AES-256-GCM under a key made anew by each start and each revocation.
 *
 * A token holds its own expiry, so each lives its own time (C15, C18); only slides are counted, for the newest 1,000
 * sessions.
 */
export function createCommunityTokens(): CommunityTokens {
  let key = randomBytes(32);
  let lastSerial = 0;
  const slidesBySession = new Map<string, number>();

  function issue(session: string, expiresAt: number): string {
    lastSerial += 1;
    return seal({ session, serial: lastSerial, expiresAt }, key);
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
      const token = unseal(text, key);
      if (token === undefined || token.expiresAt <= rules.now) return undefined;
      if (!rules.tokensOverlap && token.serial !== lastSerial) return undefined;
      const slides = slidesBySession.get(token.session) ?? 0;
      return rules.maxSlides !== null && slides >= rules.maxSlides ? undefined : token;
    },
    revokeAll() {
      key = randomBytes(32);
    },
  };
}

function seal(token: CommunityToken, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const json = JSON.stringify(token);
  const bytes = MARK.length + IV_BYTES + TAG_BYTES + Buffer.byteLength(json);
  // White space that makes base64 end in `=`.
  const plain = bytes % 3 === 0 ? `${json} ` : json;
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([MARK, iv, cipher.getAuthTag(), sealed]).toString('base64');
}

function unseal(text: string, key: Buffer): CommunityToken | undefined {
  const bytes = Buffer.from(text, 'base64');
  // The very characters that were issued, or it is another token: base64 decoding alone forgives much (C11).
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
