import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { type Harness, refusalOf, startHarness } from './sdk-clients.ts';

const ALIAS = 'alias/token-broker';
const CONTEXT = { broker: 'b', connection: 'helpdesk', subject: '88' };

async function dataKey({ kms }: Harness, context: Record<string, string> = CONTEXT) {
  const input = { KeyId: ALIAS, KeySpec: 'AES_256', EncryptionContext: context } as const;
  const { Plaintext, CiphertextBlob, KeyId } = await kms.send(new GenerateDataKeyCommand(input));
  if (Plaintext === undefined || CiphertextBlob === undefined || KeyId === undefined) throw new Error('no data key');
  return { Plaintext, CiphertextBlob, KeyId };
}

describe('the loopback KMS', () => {
  it('unwraps the data key that it wrapped, in any order of the context', async () => {
    const harness = await startHarness();
    const { Plaintext, CiphertextBlob, KeyId } = await dataKey(harness);
    const reversed = Object.fromEntries(Object.entries(CONTEXT).reverse());

    const answer = await harness.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: reversed }));

    expect(Plaintext).toHaveLength(32);
    expect(answer.Plaintext).toEqual(Plaintext);
    expect(answer).toMatchObject({ KeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    expect(Buffer.from(CiphertextBlob).includes(Buffer.from(Plaintext))).toBe(false);
  });

  it('makes another key at every call', async () => {
    const harness = await startHarness();

    const [one, two] = [await dataKey(harness), await dataKey(harness)];
    expect(one.Plaintext).not.toEqual(two.Plaintext);
    expect(one.CiphertextBlob).not.toEqual(two.CiphertextBlob);
  });

  it.each([
    ['another subject', { ...CONTEXT, subject: '89' }],
    ['a part missing', { broker: 'b', connection: 'helpdesk' }],
    ['a part more', { ...CONTEXT, more: '' }],
    ['none', undefined],
    ['the same letters divided otherwise', { brokerb: '', connection: 'helpdesk', subject: '88' }],
  ])('refuses to unwrap under a wrong context: %s', async (_what, context) => {
    const harness = await startHarness();
    const { CiphertextBlob } = await dataKey(harness);

    const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: context });
    expect(await refusalOf(harness.kms.send(command))).toMatchObject({
      name: 'InvalidCiphertextException',
      status: 400,
    });
  });

  it('refuses a blob with any byte changed, and one cut short', async () => {
    const harness = await startHarness();
    const { CiphertextBlob } = await dataKey(harness);
    const blobs = [CiphertextBlob.slice(0, -1), CiphertextBlob.slice(0, 10)];
    for (let index = 0; index < CiphertextBlob.length; index += 7) {
      const changed = Uint8Array.from(CiphertextBlob);
      changed[index] = (changed[index] ?? 0) ^ 1;
      blobs.push(changed);
    }

    for (const blob of blobs) {
      const command = new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: CONTEXT });
      expect((await refusalOf(harness.kms.send(command))).name).toBe('InvalidCiphertextException');
    }
  });

  it('unwraps after a restart under the same master key only', async () => {
    const first = await startHarness({ masterKey: Buffer.alloc(32, 3) });
    const again = await startHarness({ masterKey: Buffer.alloc(32, 3) });
    const other = await startHarness({ masterKey: Buffer.alloc(32, 4) });
    const { Plaintext, CiphertextBlob, KeyId } = await dataKey(first);
    const input = { CiphertextBlob, EncryptionContext: CONTEXT };

    expect(await again.kms.send(new DecryptCommand(input))).toMatchObject({ Plaintext, KeyId });
    expect((await refusalOf(other.kms.send(new DecryptCommand(input)))).name).toBe('InvalidCiphertextException');
    const named = new DecryptCommand({ ...input, KeyId: ALIAS });
    expect((await refusalOf(other.kms.send(named))).name).toBe('IncorrectKeyException');
  });

  it('knows its key by alias, id and ARNs, and no other', async () => {
    const harness = await startHarness();
    const { KeyId: arn } = await dataKey(harness);
    const id = arn.slice(arn.lastIndexOf('/') + 1);
    const generate = (KeyId: string) => harness.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_128' }));

    for (const name of [arn, id, ALIAS, `arn:aws:kms:us-east-1:000000000000:${ALIAS}`]) {
      expect(await generate(name)).toMatchObject({ KeyId: arn, Plaintext: { length: 16 } });
    }
    expect((await refusalOf(generate('alias/other'))).name).toBe('NotFoundException');
    const decrypt = new DecryptCommand({ CiphertextBlob: new Uint8Array(61), KeyId: 'alias/other' });
    expect((await refusalOf(harness.kms.send(decrypt))).name).toBe('NotFoundException');
  });

  it('goes by the alias that it was started with', async () => {
    const { kms } = await startHarness({ keyAlias: 'alias/mine' });
    const generate = (KeyId: string) => kms.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 64 }));

    expect(await generate('alias/mine')).toMatchObject({ Plaintext: { length: 64 } });
    expect((await refusalOf(generate(ALIAS))).name).toBe('NotFoundException');
  });

  it('refuses a data key of no or of two sizes, and operations that it does not have', async () => {
    const { kms } = await startHarness();
    const both = new GenerateDataKeyCommand({ KeyId: ALIAS, KeySpec: 'AES_256', NumberOfBytes: 32 });

    expect((await refusalOf(kms.send(new GenerateDataKeyCommand({ KeyId: ALIAS })))).name).toBe('ValidationException');
    expect((await refusalOf(kms.send(both))).name).toBe('ValidationException');
    const encrypt = new EncryptCommand({ KeyId: ALIAS, Plaintext: new Uint8Array(1) });
    expect((await refusalOf(kms.send(encrypt))).name).toBe('UnknownOperationException');
  });

  it('refuses to start with a master key of another length', async () => {
    await expect(startHarness({ masterKey: Buffer.alloc(16) })).rejects.toThrow('the master key must have 32 bytes');
  });
});
