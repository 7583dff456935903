import { describe, expect, it } from 'vitest';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import { guardedLookup, REFUSED_ADDRESS } from '../../../functions/http/guarded-lookup.ts';
import { isRefusedAddress } from '../../../functions/http/refused-address.ts';

describe('refused addresses', () => {
  it.each([
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
  ])('refuses %s', (address) => {
    expect(isRefusedAddress(address)).toBe(true);
  });

  it.each(['127.0.0.1', '10.0.0.1', '169.253.255.255', '::1', 'fd00:ec2::255', '::ffff:10.0.0.1', 'localhost', ''])(
    'leaves %s alone',
    (address) => {
      expect(isRefusedAddress(address)).toBe(false);
    },
  );

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9.254.169.254/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'https://[fd00:ec2::254]/',
  ])('never connects to %s', async (url) => {
    const result = await createUpstreamHttp().send({ method: 'GET', url, headers: {}, timeoutMs: 1_000 });
    expect(result).toEqual({ kind: 'failure', reason: 'refused_address', sent: false });
  });

  it.each([true, false])('fails a look-up that finds one (all: %s)', async (all) => {
    const error = await new Promise((resolve) => guardedLookup('169.254.169.254', { all }, resolve));
    expect(error).toMatchObject({ code: REFUSED_ADDRESS });
  });

  it('passes on what a look-up of another name finds', async () => {
    const found = await new Promise((resolve) =>
      guardedLookup('127.0.0.1', { all: true }, (error, addresses) => resolve(error ?? addresses)),
    );
    expect(found).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });
});
