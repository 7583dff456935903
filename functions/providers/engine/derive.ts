import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import {
  type ClientCertificate,
  type Derived,
  type JwtTemplate,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from '../../core/slot/provider.ts';
import { signingKeyFor } from '../../core/slot/signing-key.ts';
import { fillText, namesIn, type Values } from '../../core/slot/text.ts';
import { isJsonObject } from '../../core/words/json.ts';
import { KeyProblem } from './key-problem.ts';
import { fillJson } from './template.ts';

/** Time and chance, for values that are new in each mint. */
export interface Moment {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly uuid: () => string;
}

/** Computes a value; undefined where something that it names is absent. Throws `KeyProblem`. */
export async function derive(derived: Derived, values: Values, moment: Moment): Promise<string | undefined> {
  if ('text' in derived) return fillText(derived.text, values);
  if ('base64' in derived) return encodeWith(fillText(derived.base64, values), 'base64');
  if ('digest' in derived) {
    const of = fillText(derived.of, values);
    const key = derived.key === undefined ? undefined : fillText(derived.key, values);
    if (of === undefined || (derived.key !== undefined && key === undefined)) return undefined;
    const hash = key === undefined ? createHash(derived.digest) : createHmac(derived.digest, key);
    return hash.update(of, 'utf8').digest(derived.as);
  }
  if ('publicKeyOf' in derived) {
    const pem = fillText(derived.publicKeyOf, values);
    if (pem === undefined) return undefined;
    const key = pem.includes('CERTIFICATE')
      ? parseCertificate(pem, derived.publicKeyOf).publicKey
      : createPublicKey(parsePrivateKey(pem, derived.publicKeyOf));
    return createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest(derived.as);
  }
  if ('thumbprintOf' in derived) {
    const pem = fillText(derived.thumbprintOf, values);
    if (pem === undefined) return undefined;
    return createHash('sha256').update(parseCertificate(pem, derived.thumbprintOf).raw).digest(derived.as);
  }
  if ('time' in derived) return formatTime(derived.time, moment.now + (derived.plusSeconds ?? 0) * 1000);
  if ('random' in derived) return derived.random === 'uuid' ? moment.uuid() : moment.uuid().replaceAll('-', '');
  return signJwt(derived.jwt, values, moment);
}

function encodeWith(text: string | undefined, encoding: 'base64'): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'utf8').toString(encoding);
}

function formatTime(form: 'iso' | 'date' | 'seconds' | 'milliseconds', at: number): string {
  switch (form) {
    case 'iso':
      return new Date(at).toISOString();
    case 'date':
      return new Date(at).toISOString().slice(0, 10);
    case 'seconds':
      return String(Math.floor(at / 1000));
    case 'milliseconds':
      return String(at);
  }
}

async function signJwt(template: JwtTemplate, values: Values, { now }: Moment): Promise<string | undefined> {
  const { key, keyAs = 'utf8', header = {}, claims, lifeSeconds } = template;
  const named = fillText(template.alg, values);
  const alg = SIGNING_ALGORITHMS.find((each) => each === named);
  const material = fillText(key, values);
  const filled = fillJson(claims, values);
  const head = fillJson(header, values);
  if (alg === undefined || material === undefined || !isJsonObject(filled) || !isJsonObject(head)) return undefined;
  const issuedAt = Math.floor(now / 1000);
  // Load jose only to sign: a login with a password does not need it.
  const { SignJWT } = await import('jose');
  const signed = new SignJWT({ iat: issuedAt, exp: issuedAt + lifeSeconds, ...filled }).setProtectedHeader({
    ...head,
    alg,
  });
  return signed.sign(readSigningKey(alg, material, key, keyAs));
}

/** The key for an algorithm; throws `KeyProblem` where it is none, or one of another kind (RFC 7518 §3). */
function readSigningKey(
  alg: SigningAlgorithm,
  material: string,
  named: string,
  keyAs: 'utf8' | 'hex' | 'base64' = 'utf8',
): KeyObject | Uint8Array {
  const form = signingKeyFor(alg);
  if (form === undefined) return decodeKey(material, named, keyAs);
  const key = parsePrivateKey(material, named);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type !== form.type || details.namedCurve !== form.curve) {
    throw new KeyProblem(`has a key in ${fieldsIn(named)} that does not fit ${alg}, which takes ${form.words}`);
  }
  if (form.bits !== undefined && (details.modulusLength ?? 0) < form.bits) {
    throw new KeyProblem(`has an RSA key of less than 2,048 bits in ${fieldsIn(named)}, which ${alg} does not take`);
  }
  return key;
}

function decodeKey(material: string, named: string, keyAs: 'utf8' | 'hex' | 'base64'): Uint8Array {
  const form = { utf8: /^/, hex: /^(?:[0-9a-f]{2})+$/i, base64: /^[\w+/-]+={0,2}$/ }[keyAs];
  const bytes = Buffer.from(material, keyAs);
  // One digit of base64 is no byte yet.
  if (!form.test(material) || bytes.length === 0) {
    throw new KeyProblem(`has a key in ${fieldsIn(named)} that is not written in ${keyAs}`);
  }
  return bytes;
}

/** Throws `KeyProblem` where a client certificate and its key, in PEM, cannot be used together (RFC 8705). */
export function checkCertificate(
  { cert, key }: { readonly cert: string; readonly key: string },
  named: ClientCertificate,
): void {
  const privateKey = parsePrivateKey(key, named.key);
  if (parseCertificate(cert, named.cert).checkPrivateKey(privateKey)) return;
  throw new KeyProblem(
    `has a first certificate in ${fieldsIn(named.cert)} that the key in ${fieldsIn(named.key)} is not of`,
  );
}

/** Reads a private key in PEM: PKCS #8, PKCS #1 or SEC 1. `named` is the text that names its field. */
function parsePrivateKey(pem: string, named: string): KeyObject {
  if (pem.includes('ENCRYPTED')) {
    throw new KeyProblem(
      `has a private key in ${fieldsIn(named)} that is encrypted: put it there without a passphrase`,
    );
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new KeyProblem(`has no private key in PEM in ${fieldsIn(named)}`);
  }
}

function parseCertificate(pem: string, named: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new KeyProblem(`has no certificate in PEM in ${fieldsIn(named)}`);
  }
}

function fieldsIn(text: string): string {
  return namesIn(text)
    .map((name) => `\`${name}\``)
    .join(', ');
}
