import { REFUSED_ADDRESS } from './guarded-lookup.ts';
import type { HttpFailure, HttpFailureReason } from './port.ts';

/** The stage in which a request failed. */
export type Phase = 'connecting' | 'securing' | 'sent';

/** Error codes of a failed DNS look-up; `EAI_AGAIN` and its like are matched by their prefix. */
const lookupCodes = new Set(['ENOTFOUND', 'ENODATA', 'ESERVFAIL']);

/**
 * Sorts the error of a socket or parser by its code alone: messages may quote the request. What fails before the
 * connection stands was surely not sent.
 */
export function failureOf(error: unknown, phase: Phase): HttpFailure {
  return { kind: 'failure', reason: reasonOf(codeOf(error), phase), sent: phase === 'sent' };
}

function reasonOf(code: string, phase: Phase): HttpFailureReason {
  if (code === REFUSED_ADDRESS) return 'refused_address';
  if (code === 'HPE_HEADER_OVERFLOW') return 'too_large';
  if (code.startsWith('HPE_')) return 'protocol';
  switch (phase) {
    case 'connecting':
      return code.startsWith('EAI_') || lookupCodes.has(code) ? 'dns' : 'connect';
    case 'securing':
      return isOfTheSocket(code) ? 'connect' : 'tls';
    case 'sent':
      return 'reset';
  }
}

/** Reports whether an error in a handshake is the network's: a system error, except `EPROTO`, which is a TLS alert. */
function isOfTheSocket(code: string): boolean {
  return /^E[A-Z]+$/.test(code) && code !== 'EPROTO';
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
