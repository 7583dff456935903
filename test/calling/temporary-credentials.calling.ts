import { createServer, type IncomingHttpHeaders } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { prepareLanguages } from './languages.ts';
import { pathOf, readyRequests } from './ready-requests.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'not-a-secret',
  sessionToken: 'temporary+session/token==',
};
const REGION = 'eu-west-1';
const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** The signature that AWS's own signer makes of the headers that a request says it signed. */
async function expectedSignature(path: string, headers: IncomingHttpHeaders): Promise<string> {
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
  const signer = new SignatureV4({
    credentials: CREDENTIALS,
    region: REGION,
    service: 'execute-api',
    sha256: Sha256,
    applyChecksum: false,
  });
  const signingDate = new Date(String(headers['x-amz-date']).replace(TIME, '$1-$2-$3T$4:$5:$6Z'));
  const request = new HttpRequest({ method: 'GET', path, headers: signed });
  const { headers: made } = await signer.sign(request, { signingDate, signableHeaders: new Set(names) });
  return signatureIn(made['authorization']);
}

const signatureIn = (authorization = ''): string => /Signature=([0-9a-f]{64})$/.exec(authorization)?.[1] ?? 'none';

describe('the ready requests, with the temporary credentials of a role', async () => {
  const received: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    received.push({ path: request.url ?? '', headers: request.headers });
    response.end('{}');
  });
  const [url, languages] = await Promise.all([listenOnLoopback(server, 0), prepareLanguages()]);
  afterAll(() => server.close());

  it.each(readyRequests)('%s signs the session token too', async (language, file) => {
    received.length = 0;
    const { stderr } = await languages[language](pathOf(file), {
      TOKEN_BROKER_URL: url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    });
    const [request] = received;
    if (request === undefined) throw new Error(`nothing came: ${stderr}`);

    expect(request.headers['x-amz-security-token']).toBe(CREDENTIALS.sessionToken);
    expect(request.headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
    expect(signatureIn(request.headers.authorization)).toBe(await expectedSignature(request.path, request.headers));
  });
});
