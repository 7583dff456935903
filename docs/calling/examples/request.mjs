// node request.mjs, after npm install @aws-crypto/sha256-js @aws-sdk/credential-provider-node @smithy/protocol-http @smithy/signature-v4
import { Sha256 } from '@aws-crypto/sha256-js';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

const { AWS_REGION = '', TOKEN_BROKER_URL = '' } = process.env;
const url = new URL(`${TOKEN_BROKER_URL}/tokens/helpdesk/system`);

const signer = new SignatureV4({
  credentials: defaultProvider(),
  region: AWS_REGION,
  service: 'execute-api',
  sha256: Sha256,
});
const { headers } = await signer.sign(
  new HttpRequest({ method: 'GET', hostname: url.hostname, path: url.pathname, headers: { host: url.host } }),
);

const answer = await fetch(url, { headers });
if (!answer.ok) throw new Error(`The broker answered ${answer.status}.`);
console.log(await answer.text());
