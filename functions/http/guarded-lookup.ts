import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import { isRefusedAddress } from './refused-address.ts';

/** The code of the error that a refused address makes. */
export const REFUSED_ADDRESS = 'ERR_REFUSED_ADDRESS';

type Answer = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Looks a name up as a socket does, and fails with `ERR_REFUSED_ADDRESS` where any of its addresses is refused: what
 * is checked is what is connected to, so that no second look-up can lead elsewhere.
 */
export function guardedLookup(hostname: string, options: LookupOptions, answer: Answer): void {
  systemLookup(
    hostname,
    options,
    (error: NodeJS.ErrnoException | null, found: string | LookupAddress[], family?: number) => {
      if (error !== null) return answer(error, found, family);
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address);
      if (addresses.some(isRefusedAddress)) return answer(refusal(), '', 0);
      answer(null, found, family);
    },
  );
}

function refusal(): NodeJS.ErrnoException {
  return Object.assign(new Error('refused address'), { code: REFUSED_ADDRESS });
}
