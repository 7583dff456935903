import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** The code of the error that a refused address makes. */
export const REFUSED_ADDRESS = 'ERR_REFUSED_ADDRESS';

/** Link-local and metadata addresses, also inside the IPv6 ranges that lead to IPv4; IPv4-mapped ones match of themselves. */
const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16, 'ipv4');
refused.addSubnet('fe80::', 10, 'ipv6');
refused.addAddress('fd00:ec2::254', 'ipv6');
refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
refused.addSubnet('2002:a9fe::', 32, 'ipv6');

/** Reports whether an IP address is one that no upstream may have; false for what is no IP address. */
export function isRefusedAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  const family = isIP(bare);
  return family !== 0 && refused.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

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
