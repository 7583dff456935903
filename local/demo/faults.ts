import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { type Answer, jsonAnswer, redirectAnswer } from './answer.ts';
import type { CommonKnobs } from './knobs.ts';

/** Size of a body of 48 MiB that compresses to about 48 KB, under a cap on the bytes received. */
const GZIP_BOMB_BYTES = 48 * 1024 * 1024;
/** Size over that of any real login answer, and over a 64 KB cap. */
const OVERSIZED_BODY_BYTES = 1024 * 1024;
/** Length under a 64 KB cap on the body, over the header limit of HTTP servers. */
const OVERSIZED_TOKEN_LENGTH = 32 * 1024;
/** Length of the longest token that a broker takes. */
const LONG_TOKEN_LENGTH = 16 * 1024;

/** Creates the answer of `redirectTo` or a forced status, if either is set. */
export function forcedAnswer(knobs: Readonly<CommonKnobs>, forcedStatus: number | null): Answer | undefined {
  if (knobs.redirectTo !== null) return redirectAnswer(307, knobs.redirectTo);
  if (forcedStatus === null) return undefined;
  const headers = retryAfterOf(knobs);
  const message = `The demo upstream was told to answer ${forcedStatus}.`;
  return jsonAnswer(forcedStatus, { success: false, failMessage: message, Success: false, Message: message }, headers);
}

/** Builds `Retry-After`, as often as the knobs say; none if there is none. */
export function retryAfterOf({ retryAfter, retryAfterTimes }: Readonly<CommonKnobs>): Answer['headers'] {
  return retryAfter === null ? {} : { 'Retry-After': Array.from({ length: retryAfterTimes }, () => retryAfter) };
}

/** Replaces a login answer's body, its charset and its coding as the knobs say; the status stays. */
export function withBodyFault(knobs: Readonly<CommonKnobs>, answer: Answer): Answer {
  return withCoding(knobs, withCharset(knobs, withOtherBody(knobs, answer)));
}

function withCharset({ charset }: Readonly<CommonKnobs>, answer: Answer): Answer {
  const type = answer.headers['Content-Type'];
  if (charset === 'utf-8' || typeof type !== 'string') return answer;
  const headers = { ...answer.headers, 'Content-Type': type.replace(/charset=.*/, `charset=${charset}`) };
  return { ...answer, headers, body: Buffer.from(answer.body.toString('utf8'), 'latin1') };
}

function withCoding({ contentEncoding }: Readonly<CommonKnobs>, answer: Answer): Answer {
  if (contentEncoding === 'identity') return answer;
  const coded = { gzip: gzipSync, deflate: deflateSync, 'raw-deflate': deflateRawSync, 'utf-8': asIs, none: asIs };
  const said = contentEncoding === 'raw-deflate' ? 'deflate' : contentEncoding;
  return {
    ...answer,
    headers: { ...answer.headers, 'Content-Encoding': said },
    body: coded[contentEncoding](answer.body),
  };
}

const asIs = (body: Buffer): Buffer => body;

function withOtherBody(knobs: Readonly<CommonKnobs>, answer: Answer): Answer {
  switch (knobs.body) {
    case 'normal':
      return answer;
    case 'html':
      return withBody(answer, 'text/html; charset=utf-8', '<!doctype html><title>Sign in</title><h1>Sign in</h1>');
    case 'empty':
      return withBody(answer, 'application/json; charset=utf-8', '');
    case 'invalid-json':
      return withBody(answer, 'application/json; charset=utf-8', '{"token":"ab');
    case 'oversized':
      return { ...answer, body: padded(answer.body) };
    case 'gzip-bomb':
      return { ...answer, headers: { ...answer.headers, 'Content-Encoding': 'gzip' }, body: gzipBomb() };
  }
}

/** Builds a login answer's token under the `token` knob; undefined leaves the member out. */
export function withTokenFault(knobs: Readonly<CommonKnobs>, token: string): unknown {
  switch (knobs.token) {
    case 'normal':
      return token;
    case 'missing':
      return undefined;
    case 'empty':
      return '';
    case 'crlf':
      return `${token}\r\nX-Injected: 1`;
    case 'oversized':
      return token.padEnd(OVERSIZED_TOKEN_LENGTH, 'A');
    case 'non-string':
      return 12_345;
    case 'with-scheme':
      return `Bearer ${token}`;
    case 'quoted':
      return `"${token}"`;
    case 'with-blank':
      return `${token.slice(0, 8)} ${token.slice(8)}`;
    case 'long':
      return token.padEnd(LONG_TOKEN_LENGTH, 'A');
    case 'too-long':
      return token.padEnd(LONG_TOKEN_LENGTH + 1, 'A');
  }
}

function withBody(answer: Answer, contentType: string, body: string): Answer {
  return { ...answer, headers: { ...answer.headers, 'Content-Type': contentType }, body: Buffer.from(body) };
}

/** Pads JSON with white space, which is valid: only the size is wrong. */
function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc(OVERSIZED_BODY_BYTES, ' ')]);
}

let bomb: Buffer | undefined;

function gzipBomb(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(GZIP_BOMB_BYTES, ' '), { level: 9 });
  return bomb;
}
