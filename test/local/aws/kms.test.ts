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

  it('refuses a key of another name, a data key of another kind, and operations that it does not have', async () => {
    const harness = await startHarness();
    const generate = (KeyId: string, KeySpec?: 'AES_128' | 'AES_256') =>
      refusalOf(harness.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec })));

    expect((await generate('alias/other', 'AES_256')).name).toBe('NotFoundException');
    expect((await generate(ALIAS, 'AES_128')).name).toBe('ValidationException');
    expect((await generate(ALIAS)).name).toBe('ValidationException');
    const decrypt = new DecryptCommand({ CiphertextBlob: new Uint8Array(61), KeyId: 'alias/other' });
    expect((await refusalOf(harness.kms.send(decrypt))).name).toBe('NotFoundException');
    const encrypt = new EncryptCommand({ KeyId: ALIAS, Plaintext: new Uint8Array(1) });
    expect((await refusalOf(harness.kms.send(encrypt))).name).toBe('UnknownOperationException');
  });
});
