import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A key and its own certificate for `localhost`, as files. */
export interface CertificateFiles {
  readonly keyFile: string;
  readonly certificateFile: string;
}

/** Makes a self-signed certificate for `localhost`, good for two days, in `folder`. Needs the `openssl` command. */
export function selfSigned(folder: string): CertificateFiles {
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-nodes', '-days', '2', '-keyout', keyFile, '-out', certificateFile, ...names],
    { stdio: 'ignore' },
  );
  return { keyFile, certificateFile };
}
