import { randomBytes, randomUUID } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import type { HelpmasterKnobs } from './helpmaster-knobs.ts';

/** `userid` of a system token; the vendor's document does not say what it is (H10). */
export const SYSTEM_USER_ID = '0';

const ISSUER = 'http://helpmasterpro.com';
/** The end of year 9999, which .NET gives for "never" where a token must have an expiry (H13). */
const FAR_FUTURE_SECONDS = 253_402_300_799;
/** Differs from the key that is sent to get a token, as in the vendor's sample. */
const API_KEY_CLAIM = '8435d770-905f-49f0-9a13-8e51afb8d054';
/** Byte C7 then a back-tick is no UTF-8: two characters of the vendor's sample were altered so. */
const CORRUPT_NAME_LATIN1 = 'HelpMaster WebAPI Key - Developf\u00c7`Key #1';
const WHOLE_NAME = 'HelpMaster WebAPI Key - Developer Key #1';

/** What a token is judged by; the signature already says that it is ours. */
const judgedClaims = z.object({ userid: z.string(), exp: z.number().optional() });

/** Signs and judges the demo HelpMaster's JWTs. */
export interface HelpmasterTokens {
  /** A JWT with the claims of the vendor's sample; `now` is epoch ms by the server's clock. */
  issue(userId: string, knobs: Readonly<HelpmasterKnobs>, now: number): Promise<string>;
  /** The `userid` the token acts as; undefined when it is not one of ours, ended or revoked. */
  userOf(token: string, now: number): Promise<string | undefined>;
  /** Ends every token issued so far. */
  revokeAll(): void;
}

/** Signs with HS256 and a key of its own, made anew by each start and each revocation. */
export function createHelpmasterTokens(): HelpmasterTokens {
  let key = randomBytes(32);
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
      // Everything else is ASCII, so Latin-1 yields exactly the sample's bytes.
      const payload = Buffer.from(claims, 'latin1');
      return new CompactSign(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
    },
    async userOf(token, now) {
      try {
        // Not `jwtVerify`: it decodes strictly, and refuses the sample's name.
        const { payload } = await compactVerify(token, key, { algorithms: ['HS256'] });
        const { userid, exp } = judgedClaims.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
        return exp === undefined || exp * 1000 > now ? userid : undefined;
      } catch {
        return undefined;
      }
    },
    revokeAll() {
      key = randomBytes(32);
    },
  };
}

/** The `exp` claim that the `expiry` knob asks for; undefined is a token without one. */
function expiryOf(knobs: Readonly<HelpmasterKnobs>, now: number): number | undefined {
  const nowSeconds = Math.floor(now / 1000);
  switch (knobs.expiry) {
    case 'normal':
      return nowSeconds + knobs.lifetimeSeconds;
    case 'never':
      return undefined;
    case 'far-future':
      return FAR_FUTURE_SECONDS;
    case 'past':
      return nowSeconds - 60;
    case 'milliseconds':
      return (nowSeconds + knobs.lifetimeSeconds) * 1000;
  }
}
