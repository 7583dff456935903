import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAwsSha256 } from '../../../../functions/adapters/aws/sha256.ts';
import { settingsOf } from '../../../fuzz/runs.ts';

const Sha256 = createAwsSha256();

async function hexOf(secret: Data | undefined, ...parts: readonly Data[]): Promise<string> {
  const hash = secret === undefined ? new Sha256() : new Sha256(secret);
  for (const part of parts) hash.update(part);
  return Buffer.from(await hash.digest()).toString('hex');
}

type Data = string | ArrayBuffer | ArrayBufferView;

/** The same bytes in each shape that the SDK may give them. */
function shapesOf(text: string): readonly Data[] {
  const padded = Buffer.from(`--${text}--`);
  const view = new Uint8Array(padded.buffer, padded.byteOffset + 2, padded.length - 4);
  return [text, view, new DataView(view.buffer, view.byteOffset, view.byteLength), Uint8Array.from(view).buffer];
}

describe('the SHA-256 that AWS requests are signed with', () => {
  it('is that of FIPS 180-4, whatever the shape of the data', async () => {
    for (const data of shapesOf('abc')) {
      expect(await hexOf(undefined, data)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    }
  });

  it('is an HMAC under a key of any shape (RFC 4231, test case 2), and under the same key again', async () => {
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    for (const secret of shapesOf('Jefe')) {
      for (let time = 0; time < 2; time += 1) {
        expect(await hexOf(secret, 'what do ya want ', 'for nothing?')).toBe(expected);
      }
    }
  });

  it('tells keys apart, and takes up a new one at once', async () => {
    const [one, other, again] = [await hexOf('one', 'x'), await hexOf('other', 'x'), await hexOf('one', 'x')];

    expect(other).not.toBe(one);
    expect(again).toBe(one);
  });

  it('starts afresh after a reset', async () => {
    const hash = new Sha256('key');
    hash.update('dropped');
    hash.reset();
    hash.update('kept');

    expect(Buffer.from(await hash.digest()).toString('hex')).toBe(await hexOf('key', 'kept'));
  });

  it("signs any request as the SDK's own does (AWS Signature Version 4)", async () => {
    const { sha256 } = new DynamoDBClient({ region: 'eu-west-1' }).config;
    const signatureBy = async (hash: typeof sha256, secretAccessKey: string, body: string) => {
      const credentials = { accessKeyId: 'AKID', secretAccessKey, sessionToken: 'session' };
      const signer = new SignatureV4({ service: 'dynamodb', region: 'eu-west-1', credentials, sha256: hash });
      const request = new HttpRequest({ method: 'POST', hostname: 'dynamodb', headers: { host: 'dynamodb' }, body });
      const { headers } = await signer.sign(request, { signingDate: new Date(0) });
      return headers['authorization'];
    };

    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.string(), async (secret, body) => {
        expect(await signatureBy(Sha256, secret, body)).toBe(await signatureBy(sha256, secret, body));
      }),
      settingsOf(50),
    );
  });
});
