import type { TokenBrokerError } from '../error.ts';
import { remedyOf } from '../remedies.ts';

/** Remedies that name a command of this program, in place of the general ones. */
const commandByCode: Readonly<Record<string, string>> = {
  network:
    'Does the broker run? `token-broker dev` or `npm start` starts one on this machine; --url or TOKEN_BROKER_URL names another.',
  unknown_connection: '`token-broker connections` lists those that there are.',
  upstream_credential_rejected:
    'Set the right one with `token-broker secret set CONNECTION --check`, which tries it first.',
  reauthorization_required:
    'Consent again at the upstream, and set the new refresh token with `token-broker secret set CONNECTION`.',
  secret_unavailable: 'Set it with `token-broker secret set CONNECTION`.',
  secret_invalid: 'Set it again with `token-broker secret set CONNECTION`, which knows its shape.',
  upstream_account_locked: 'Have it unlocked at the upstream; then `token-broker purge CONNECTION` ends the wait.',
  cooldown: '`token-broker status` tells since when; `token-broker purge CONNECTION` ends it once the cause is mended.',
  credentials: '`token-broker doctor` tells what was looked for.',
};

/** Looks up the remedy for an error, in a cooldown for its cause; undefined if the error's detail is enough. */
export function remedyForError({ code, causeCode = '' }: TokenBrokerError): string | undefined {
  return commandFor(causeCode) ?? commandFor(code) ?? remedyOf(causeCode) ?? remedyOf(code);
}

/** Looks up the remedy for a code in a status. */
export function remedyForCode(code: string): string | undefined {
  return commandFor(code) ?? remedyOf(code);
}

function commandFor(code: string): string | undefined {
  return Object.hasOwn(commandByCode, code) ? commandByCode[code] : undefined;
}
