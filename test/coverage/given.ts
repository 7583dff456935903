import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { selfSigned } from '../functions/http/raw-server.ts';
import { rsaKey } from '../functions/providers/test-keys.ts';
import { FIELDS, isInHost, type Need, optionalNames } from './need.ts';

/** Characters that each encoding must escape, and a placeholder that a second filling would replace. */
const AWKWARD = `+&=%/?#"'<>|{t} x`;

/** Keys of one run: private ones in PEM, a certificate of the one on P-256, and a shared one in 64 hex digits. */
export interface Keys {
  readonly rsa: string;
  readonly ec: string;
  readonly certificate: string;
  readonly shared: string;
}

/** Values by the names of a need: `s:field`, `c:setting`. */
export type Values = ReadonlyMap<string, string>;

/** Makes the keys of a run. Needs the `openssl` command. */
export function createKeys(): Keys {
  const { key, cert } = selfSigned('client.example');
  return { rsa: rsaKey().pkcs8, ec: key, certificate: cert, shared: createHash('sha256').update(key).digest('hex') };
}

/** The key that proves a JWT of that algorithm. */
export function provingKey(alg: string, keys: Keys, isHex: boolean): KeyObject | Uint8Array {
  if (alg.startsWith('HS')) return Buffer.from(keys.shared, isHex ? 'hex' : 'utf8');
  return createPublicKey(createPrivateKey(signingKey(alg, keys)));
}

/** A value for everything that a need names; those that may be absent only where `isFull`. */
export function valuesFor(need: Need, keys: Keys, isFull: boolean): Values {
  const values = new Map(Object.values(FIELDS).map((name) => [`s:${name}`, `${name} ${AWKWARD}`]));
  values.set(`s:${FIELDS.privateKey}`, signingKey(Object.values(need.computed).join(), keys));
  values.set(`s:${FIELDS.sharedKey}`, keys.shared);
  values.set(`s:${FIELDS.certificate}`, keys.certificate);
  values.set(`s:${FIELDS.certificateKey}`, keys.ec);
  const headers = JSON.stringify([need.use.headers, need.steps.map((step) => step.headers)]);
  for (const [named, kind = '', name = ''] of JSON.stringify(need).matchAll(/\{([sc]):(\w+)\}/g)) {
    if (!isFull && optionalNames(need).includes(name)) continue;
    const isHost = kind === 'c' && isInHost(need, name);
    const text = `${name} ${AWKWARD}${headers.includes(named) ? '' : 'é'}`;
    values.set(`${kind}:${name}`, isHost ? name.toLowerCase().replace(/[^a-z0-9]/g, '-') : text);
  }
  return values;
}

function signingKey(alg: string, { rsa, ec }: Keys): string {
  return alg.includes('ES') ? ec : rsa;
}
