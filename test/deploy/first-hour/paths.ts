import { execFileSync } from 'node:child_process';
import { endpointOf } from '../../../client/endpoint.ts';
import { credentialProviderOf } from '../../../client/signing.ts';
import { problemCodeIn } from '../handed-out.ts';
import { createClient } from './client.ts';

/** Proxied paths with escapes, as the client and as curl send them, and the answers; for `docs/first-hour.md`. */
const [url = ''] = process.argv.slice(2);
const endpoint = endpointOf({ url, environment: process.env });
const call = createClient(url);
const provide = credentialProviderOf({ endpoint, clock: { now: Date.now } });

async function callByCurl(path: string): Promise<{ status: number; body: string }> {
  const { accessKeyId, secretAccessKey, sessionToken } = await provide();
  // By standard input, so that no process list shows them.
  const input = [
    `user = "${accessKeyId}:${secretAccessKey}"`,
    ...(sessionToken === undefined ? [] : [`header = "x-amz-security-token: ${sessionToken}"`]),
  ].join('\n');
  const words = ['-sS', '--config', '-', '--max-time', '35', '--write-out', '\n%{http_code}'];
  const signed = ['--aws-sigv4', `aws:amz:${endpoint.region}:execute-api`, `${endpoint.base}${path}`];
  const output = execFileSync('curl', [...words, ...signed], { input, encoding: 'utf8' });
  const end = output.lastIndexOf('\n');
  return { status: Number(output.slice(end + 1)), body: output.slice(0, end) };
}

for (const path of ['/only%3Fb', '/only%2Fb', '/only%20b', '/only%C3%A4', '/only;x']) {
  const target = `/proxy/quick/system${path}`;
  for (const [by, { status, body }] of [
    ['client', await call('GET', target)],
    ['curl', await callByCurl(target)],
  ] as const) {
    process.stdout.write(`${status} ${problemCodeIn(body) ?? 'an answer of the upstream'} ${path} by ${by}\n`);
  }
}
