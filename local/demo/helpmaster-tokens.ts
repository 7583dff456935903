import { randomUUID } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import * as z from 'zod';
import type { HelpmasterKnobs } from './helpmaster-knobs.ts';
import { createTokenKey, type TokenKey } from './token-key.ts';

/** `userid` of a system token; the vendor does not document it (H10). */
export const SYSTEM_USER_ID = '0';

const ISSUER = 'http://helpmasterpro.com';
/** End of year 9999, the expiry that .NET gives a token that never expires (H13). */
const FAR_FUTURE_SECONDS = 253_402_300_799;
/** Claim that differs from the key sent to get a token, as in the vendor's sample. */
const API_KEY_CLAIM = '8435d770-905f-49f0-9a13-8e51afb8d054';
/** Name with byte C7 and a back-tick, which is invalid UTF-8, as in the vendor's sample. */
const CORRUPT_NAME_LATIN1 = 'HelpMaster WebAPI Key - Developf\u00c7`Key #1';
const WHOLE_NAME = 'HelpMaster WebAPI Key - Developer Key #1';

/** Claims to check after the signature. An `exp` that is no number, or 0, ends nothing. */
const judgedClaims = z.object({ userid: z.string(), exp: z.union([z.number(), z.string()]).optional() });

/** Signs and verifies the demo HelpMaster's JWTs. */
export interface HelpmasterTokens {
  /** Issues a JWT with the claims of the vendor's sample; `now` is epoch ms by the server's clock. */
  issue(userId: string, knobs: Readonly<HelpmasterKnobs>, now: number): Promise<string>;
  /** Reads the `userid` of a token; undefined if it is not one of ours, expired or revoked. */
  userOf(token: string, now: number): Promise<string | undefined>;
  /** Revokes every token issued so far. */
  revokeAll(): void;
}

/** Creates tokens with HS256 under a key that each revocation renews. */
export function createHelpmasterTokens(key: TokenKey = createTokenKey()): HelpmasterTokens {
  return {
    issue(userId, knobs, now) {
      const exp = expiryOf(knobs, now);
      const claims = JSON.stringify({
        jti: randomUUID(),
        valid: '1',
        userid: userId,
        name: knobs.corruptName ? CORRUPT_NAME_LATIN1 : WHOLE_NAME,
        APIPKID: '1',
        APIKey: API_KEY_CLAIM,
        ...(exp === undefined ? {} : { exp }),
        iss: ISSUER,
        aud: ISSUER,
      });
      // All other characters are ASCII, so Latin-1 yields exactly the sample's bytes.
      const payload = Buffer.from(claims, 'latin1');
      return new CompactSign(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key.current());
    },
    async userOf(token, now) {
      try {
        // `jwtVerify` decodes strictly and would refuse the sample's name.
        const { payload } = await compactVerify(token, key.current(), { algorithms: ['HS256'] });
        const { userid, exp } = judgedClaims.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
        return typeof exp !== 'number' || exp === 0 || exp * 1000 > now ? userid : undefined;
      } catch {
        return undefined;
      }
    },
    revokeAll: key.renew,
  };
}

/** Computes the `exp` claim under the `expiry` knob; undefined leaves it out. */
function expiryOf(knobs: Readonly<HelpmasterKnobs>, now: number): number | string | undefined {
  const nowSeconds = Math.floor(now / 1000);
  const endsAt = nowSeconds + knobs.lifetimeSeconds;
  switch (knobs.expiry) {
    case 'normal':
      return endsAt;
    case 'never':
      return undefined;
    case 'far-future':
      return FAR_FUTURE_SECONDS;
    case 'past':
      return nowSeconds - 60;
    case 'milliseconds':
      return endsAt * 1000;
    case 'microseconds':
      return endsAt * 1_000_000;
    case 'text':
      return String(endsAt);
    case 'iso':
      return new Date(endsAt * 1000).toISOString();
    case 'with-blanks':
      return ` ${endsAt} `;
    case 'zero':
      return 0;
    case 'unreadable':
      return 'in a while';
  }
}
