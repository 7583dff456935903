import { expect, it } from 'vitest';
import { BrokerError, type BrokerErrorCode, statusByCode } from '../../../functions/core/words/errors.ts';
import { toExchangeError } from '../../../functions/exchange/exchange-error.ts';

/** The broker's codes by what they are at the token endpoint; those not listed are `temporarily_unavailable`. */
const codesByError: Readonly<Record<string, readonly string[]>> = {
  invalid_request: [
    'invalid_request',
    'payload_too_large',
    'unsupported_media_type',
    'not_found',
    'method_not_allowed',
  ],
  invalid_target: [
    'invalid_subject',
    'subject_not_supported',
    'min_ttl_unsatisfiable',
    'forbidden',
    'proxy_not_allowed',
    'handout_disabled',
    'unknown_connection',
  ],
  server_error: ['internal'],
};

it.each(Object.keys(statusByCode) as BrokerErrorCode[])('%s has its code of RFC 6749', (code) => {
  const [expected = 'temporarily_unavailable'] =
    Object.entries(codesByError).find(([, codes]) => codes.includes(code)) ?? [];

  expect(toExchangeError(new BrokerError(code, 'What to do.')).error).toBe(expected);
});
