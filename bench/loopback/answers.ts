import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Answers } from './aws-endpoint.ts';
import type { SealedSlot } from './sealed-slot.ts';

/** Builds the answers of DynamoDB and KMS for a slot with a token: a read, a successful update, and a decryption. */
export function answersFor({ item, dataKey }: SealedSlot): Answers {
  return {
    'DynamoDB_20120810.GetItem': JSON.stringify({ Item: wireOf(item) }),
    'DynamoDB_20120810.Query': JSON.stringify({ Items: [], Count: 0, ScannedCount: 0 }),
    'TrentService.Decrypt': JSON.stringify({
      KeyId: 'arn:aws:kms:us-east-1:000000000000:key/bench',
      Plaintext: base64(dataKey),
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    }),
  };
}

/** Builds the answers of reads of these items, each by its sort key. */
export function answersForItems(items: readonly SealedSlot['item'][]): Answers {
  return Object.fromEntries(
    items.map((item) => [`DynamoDB_20120810.GetItem ${item['sk']?.S}`, JSON.stringify({ Item: wireOf(item) })]),
  );
}

/** An item in DynamoDB's JSON, where bytes are base64. */
function wireOf(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [name, value.B === undefined ? value : { B: base64(value.B) }]),
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
