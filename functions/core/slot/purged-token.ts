import type { PurgedToken } from './mint-message.ts';
import type { SealedToken } from './record.ts';

/** The one line of the log that says that a purged token lives on; `why` says more. */
export const NOT_LOGGED_OUT = 'A purged token was not logged out. It ends by itself.';

/** Writes a token as it travels to `mint` after its purge. It stays sealed. */
export function writePurged(generation: number, token: SealedToken): PurgedToken {
  const { closedCiphertext, closedDataKey, issuedAt, usableUntil, refreshAt, sessionStartedAt } = token;
  const { secretVersion, hash } = token;
  const isClosed = closedCiphertext !== undefined && closedDataKey !== undefined;
  return {
    ...{ generation, issuedAt, usableUntil, refreshAt, sessionStartedAt, secretVersion, hash },
    ciphertext: toBase64(token.ciphertext),
    dataKey: toBase64(token.dataKey),
    ...(isClosed && { closedCiphertext: toBase64(closedCiphertext), closedDataKey: toBase64(closedDataKey) }),
  };
}

/** Reads it back, as the record that it opens in. */
export function readPurged(purged: PurgedToken): { readonly generation: number; readonly token: SealedToken } {
  const { generation, ciphertext, dataKey, closedCiphertext, closedDataKey, ...facts } = purged;
  const isClosed = closedCiphertext !== undefined && closedDataKey !== undefined;
  const token: SealedToken = {
    ...facts,
    ciphertext: Buffer.from(ciphertext, 'base64'),
    dataKey: Buffer.from(dataKey, 'base64'),
    ...(isClosed && {
      closedCiphertext: Buffer.from(closedCiphertext, 'base64'),
      closedDataKey: Buffer.from(closedDataKey, 'base64'),
    }),
    publicationId: '',
  };
  return { generation, token };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
