import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './raw-server.ts';

/** Makes a certificate with openssl, signed by another or by itself; with days below zero it has expired. */
export function issueCertificate(
  name: string,
  { by, isAuthority = false, days = 2 }: { by?: Certificate; isAuthority?: boolean; days?: number } = {},
): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'broker-tls-'));
  const at = (file: string) => join(folder, file);
  const openssl = (...words: readonly string[]) => execFileSync('openssl', words, { stdio: 'ignore' });
  try {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const use = ['-addext', `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`];
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, ...use];
    openssl('req', ...curve, '-keyout', at('key.pem'), '-out', at('request.pem'), ...names);
    writeFileSync(at('issuer.pem'), by?.cert ?? '');
    writeFileSync(at('issuer-key.pem'), by?.key ?? '');
    const signed =
      by === undefined
        ? ['-signkey', at('key.pem')]
        : ['-CA', at('issuer.pem'), '-CAkey', at('issuer-key.pem'), '-CAcreateserial'];
    const dated = ['-days', String(days), '-copy_extensions', 'copy'];
    openssl('x509', '-req', '-in', at('request.pem'), ...signed, ...dated, '-out', at('cert.pem'));
    return { key: readFileSync(at('key.pem'), 'utf8'), cert: readFileSync(at('cert.pem'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
