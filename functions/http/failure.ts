import { REFUSED_ADDRESS } from './guarded-lookup.ts';
import type { HttpFailure, HttpFailureReason, TlsFault } from './port.ts';

/** The stage in which a request failed. */
export type Phase = 'connecting' | 'securing' | 'sent';

/** Error codes of a failed DNS look-up; `EAI_AGAIN` and its like are matched by their prefix. */
const lookupCodes = new Set(['ENOTFOUND', 'ENODATA', 'ESERVFAIL']);

/** Codes of Node and OpenSSL for what is wrong with a certificate or a handshake. */
const tlsFaults: Readonly<Record<string, TlsFault>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong_name',
  HOSTNAME_MISMATCH: 'wrong_name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self_signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown_issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown_issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown_issuer',
  CERT_UNTRUSTED: 'unknown_issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'incomplete_chain',
  CERT_REVOKED: 'revoked',
};

/** Faults by OpenSSL's reason, which is the number of the other side's alert and 1000 (RFC 8446 §6) or its own. */
const tlsFaultsByReason: Readonly<Record<number, TlsFault>> = {
  198: 'no_tls',
  258: 'handshake',
  267: 'no_tls',
  1040: 'handshake',
  1042: 'client_certificate',
  1043: 'client_certificate',
  1044: 'client_certificate',
  1045: 'client_certificate',
  1046: 'client_certificate',
  1048: 'client_certificate',
  1049: 'client_certificate',
  1070: 'handshake',
  1071: 'handshake',
  1116: 'client_certificate',
};
/** An error of OpenSSL's SSL library in Node's messages; its last three digits are the reason. */
const OPENSSL_ERROR = /\berror:0A000([0-9A-F]{3}):/;

/**
 * Sorts the error of a socket or parser by its codes alone: messages may quote the request. What fails before the
 * connection stands was surely not sent.
 */
export function failureOf(error: unknown, phase: Phase): HttpFailure {
  const code = codeOf(error);
  const fault = tlsFaultOf(code, error);
  // Under TLS 1.3 a server says only after the handshake that it wants another client certificate: it read nothing.
  const isRefusedHandshake = phase === 'sent' && fault === 'client_certificate';
  const reason = reasonOf(code, isRefusedHandshake ? 'securing' : phase);
  const sent = phase === 'sent' && !isRefusedHandshake;
  return { kind: 'failure', reason, sent, ...(reason === 'tls' && fault && { fault }) };
}

function tlsFaultOf(code: string, error: unknown): TlsFault | undefined {
  const named = Object.hasOwn(tlsFaults, code) ? tlsFaults[code] : undefined;
  const [, reason = '0'] = OPENSSL_ERROR.exec(error instanceof Error ? error.message : '') ?? [];
  return named ?? tlsFaultsByReason[Number.parseInt(reason, 16)];
}

function reasonOf(code: string, phase: Phase): HttpFailureReason {
  if (code === REFUSED_ADDRESS) return 'refused_address';
  if (code === 'HPE_HEADER_OVERFLOW') return 'head_too_large';
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
