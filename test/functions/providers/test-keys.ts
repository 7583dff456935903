import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A key pair of a test: the private half in PEM, as PKCS #8 and in its older form, and the public half. */
export interface TestKey {
  readonly pkcs8: string;
  /** PKCS #1 of an RSA key, SEC 1 of an EC key; of others there is none. */
  readonly older: string;
  readonly publicKey: KeyObject;
}

/** Makes an RSA key. */
export function rsaKey(modulusLength = 2048): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return { pkcs8: pemOf(privateKey, 'pkcs8'), older: pemOf(privateKey, 'pkcs1'), publicKey };
}

/** Makes an EC key. */
export function ecKey(namedCurve: 'P-256' | 'P-384' | 'P-521'): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return { pkcs8: pemOf(privateKey, 'pkcs8'), older: pemOf(privateKey, 'sec1'), publicKey };
}

/** Makes an Ed25519 key. */
export function ed25519Key(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { pkcs8: pemOf(privateKey, 'pkcs8'), older: '', publicKey };
}

function pemOf(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1'): string {
  return key.export({ type, format: 'pem' }).toString();
}
