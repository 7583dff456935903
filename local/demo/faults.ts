import { gzipSync } from 'node:zlib';
import { type Answer, jsonAnswer, redirectAnswer } from './answer.ts';
import type { CommonKnobs } from './knobs.ts';

/** A body of 48 MiB that travels as about 48 KB, so that a cap on the bytes received does not see it. */
const GZIP_BOMB_BYTES = 48 * 1024 * 1024;
/** More than any honest login answer, and more than a 64 KB cap. */
const OVERSIZED_BODY_BYTES = 1024 * 1024;
/** Below a 64 KB cap on the body, above what an HTTP server takes in a header. */
const OVERSIZED_TOKEN_LENGTH = 32 * 1024;

/** The answer that `redirectTo` or a forced status puts in place of the real one, if either is set. */
export function forcedAnswer(knobs: Readonly<CommonKnobs>, forcedStatus: number | null): Answer | undefined {
  if (knobs.redirectTo !== null) return redirectAnswer(307, knobs.redirectTo);
  if (forcedStatus === null) return undefined;
  const headers = knobs.retryAfter !== null ? { 'Retry-After': knobs.retryAfter } : {};
  const message = `The demo upstream was told to answer ${forcedStatus}.`;
  return jsonAnswer(forcedStatus, { success: false, failMessage: message, Success: false, Message: message }, headers);
}

/** Puts the body that the `body` knob asks for in place of a login answer's own; the status stays. */
export function withBodyFault(knobs: Readonly<CommonKnobs>, answer: Answer): Answer {
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

/** The JSON value that a login answers as its token under the `token` knob; undefined leaves the member out. */
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
  }
}

function withBody(answer: Answer, contentType: string, body: string): Answer {
  return { ...answer, headers: { ...answer.headers, 'Content-Type': contentType }, body: Buffer.from(body) };
}

/** White space after a JSON document is allowed: only its size is wrong. */
function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc(OVERSIZED_BODY_BYTES, ' ')]);
}

let bomb: Buffer | undefined;

function gzipBomb(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(GZIP_BOMB_BYTES, ' '), { level: 9 });
  return bomb;
}
