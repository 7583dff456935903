import { randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

/** Key that a demo upstream signs or seals its tokens with. Under another key none of them is good. */
export interface TokenKey {
  current(): Buffer;
  /** Draws another key, which ends every token issued so far. */
  renew(): void;
}

/** Creates a key: `known`, or one that is drawn now. `onRenewed` is called after each renewal. */
export function createTokenKey(known?: Buffer, onRenewed: () => void = () => undefined): TokenKey {
  let key = known ?? randomBytes(KEY_BYTES);
  return {
    current: () => key,
    renew() {
      key = randomBytes(KEY_BYTES);
      onRenewed();
    },
  };
}
