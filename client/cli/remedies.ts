import type { TokenBrokerError } from '../error.ts';

/** What to do about a code, with this very command; undefined where the broker's own detail says all. */
const remedyByCode: Readonly<Record<string, string>> = {
  network: 'Does the broker run? `npm start` starts one on this machine; --url or TOKEN_BROKER_URL names another.',
  unknown_connection: '`token-broker connections` lists those that there are.',
  upstream_credential_rejected:
    'Set the right one with `token-broker secret set CONNECTION`; it is tried within 10 seconds.',
  secret_unavailable: 'Set it with `token-broker secret set CONNECTION`.',
  secret_invalid: 'Set it again with `token-broker secret set CONNECTION`, which knows its shape.',
  upstream_account_locked: 'Have it unlocked at the upstream; then `token-broker purge CONNECTION` ends the wait.',
  cooldown: '`token-broker status` tells since when; `token-broker purge CONNECTION` ends it once the cause is mended.',
  credentials: '`token-broker doctor` tells what was looked for.',
};

/** The remedy for an error, or undefined. */
export function remedyOf({ code, kind, status, causeCode }: TokenBrokerError): string | undefined {
  if (kind === 'gateway' && status === 403) return undefined;
  return remedyByCode[causeCode ?? ''] ?? remedyByCode[code];
}

/** The remedy for a code in a status. */
export function remedyForCode(code: string): string | undefined {
  return remedyByCode[code];
}
