import { describe, expect, it } from 'vitest';
import { isRefusedAddress } from '../../../functions/http/refused-address.ts';

describe('addresses that no upstream may have (invariant 15)', () => {
  it.each([
    ['169.254.0.0', 'the first of link-local'],
    ['169.254.169.254', 'metadata of AWS, Azure and Google'],
    ['169.254.255.255', 'the last of link-local'],
    ['100.100.100.200', 'metadata of Alibaba'],
    ['168.63.129.16', 'the platform of Azure'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with a zone'],
    ['febf:ffff::1', 'the end of link-local'],
    ['fd00:ec2::254', 'metadata of AWS'],
    ['fd00:ec2::23', 'credentials of a pod on AWS'],
    ['::ffff:0:a9fe:a9fe', 'link-local, translated (RFC 2765 §2.1)'],
    ['fd20:ce::254', 'metadata of Google'],
    ['::ffff:169.254.169.254', 'IPv4 mapped into IPv6'],
    ['64:ff9b::169.254.169.254', 'IPv4 behind NAT64'],
    ['2002:a9fe:a9fe::1', 'IPv4 behind 6to4'],
    ['::169.254.169.254', 'IPv4-compatible (RFC 4291 §2.5.5.1)'],
    ['::a9fe:1', 'IPv4-compatible, in hexadecimal'],
    ['64:ff9b:1::169.254.169.254', 'NAT64 for local use (RFC 8215), prefix of 96 bits'],
    ['64:ff9b:1:a9fe:a9:fe00::', 'NAT64 for local use, prefix of 48 bits'],
    ['64:ff9b:1:ffff::1', 'NAT64 for local use, the end of its range'],
    ['64:ff9b::100.100.100.200', 'metadata of Alibaba behind NAT64'],
    ['::100.100.100.200', 'metadata of Alibaba, IPv4-compatible'],
    ['2002:6464:64c8::1', 'metadata of Alibaba behind 6to4'],
    ['64:ff9b::168.63.129.16', 'the platform of Azure behind NAT64'],
    ['::168.63.129.16', 'the platform of Azure, IPv4-compatible'],
    ['2002:a83f:8110::1', 'the platform of Azure behind 6to4'],
  ])('are refused: %s, %s', (address) => {
    expect(isRefusedAddress(address)).toBe(true);
  });

  it.each([
    '169.253.255.255',
    '169.255.0.0',
    '100.100.100.201',
    '168.63.129.17',
    '10.0.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '::1',
    'fec0::1',
    'fd00:ec2::253',
    'fd20:ce::255',
    '::ffff:10.0.0.1',
    '64:ff9b::a9ff:1',
    '2002:a9ff::1',
    '::',
    '::10.0.0.1',
    '::a9ff:1',
    '64:ff9b:2::1',
    '64:ff9b::10.0.0.1',
    '2002:6464:64c9::1',
    '1::a9fe:1',
  ])('are no others: %s', (address) => {
    expect(isRefusedAddress(address)).toBe(false);
  });

  it.each(['', '%', 'upstream.example.com', '169.254.169', '169.254.169.254.example.com', 'fe80'])(
    'are no names: %j is left to whoever resolves it',
    (name) => {
      expect(isRefusedAddress(name)).toBe(false);
    },
  );
});
