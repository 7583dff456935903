import { BlockList, isIP } from 'node:net';

/**
 * Link-local and metadata addresses, also inside the IPv6 ranges that lead to IPv4: NAT64 (RFC 6052 §2.1), 6to4 (RFC 3056
 * §2), IPv4-compatible (RFC 4291 §2.5.5.1) and IPv4-translated (RFC 2765 §2.1). IPv4-mapped ones match of themselves.
 */
const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16, 'ipv4');
refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
refused.addSubnet('2002:a9fe::', 32, 'ipv6');
refused.addSubnet('::a9fe:0', 112, 'ipv6');
refused.addSubnet('::ffff:0:a9fe:0', 112, 'ipv6');
for (const [address, sixToFour] of [
  ['100.100.100.200', '2002:6464:64c8::'],
  ['168.63.129.16', '2002:a83f:8110::'],
] as const) {
  refused.addAddress(address, 'ipv4');
  refused.addAddress(`64:ff9b::${address}`, 'ipv6');
  refused.addAddress(`::${address}`, 'ipv6');
  refused.addAddress(`::ffff:0:${address}`, 'ipv6');
  refused.addSubnet(sixToFour, 48, 'ipv6');
}
// NAT64 for local use (RFC 8215): where in it an IPv4 address stands is each network's own choice, so all of it.
refused.addSubnet('64:ff9b:1::', 48, 'ipv6');
refused.addSubnet('fe80::', 10, 'ipv6');
refused.addAddress('fd00:ec2::254', 'ipv6');
refused.addAddress('fd00:ec2::23', 'ipv6');
refused.addAddress('fd20:ce::254', 'ipv6');

/** Reports whether an IP address is one that no upstream may have (invariant 15); false for what is no IP address. */
export function isRefusedAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  const family = isIP(bare);
  return family !== 0 && refused.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}
