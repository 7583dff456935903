import { type Answer, jsonAnswer } from './answer.ts';
import { retryAfterOf } from './faults.ts';
import type { CommonKnobs } from './knobs.ts';

/** Gives the answer of a firewall in front of an upstream; undefined if it lets the request through. */
export type Firewall = (knobs: Readonly<CommonKnobs>, userAgent?: string) => Answer | undefined;

/**
 * Creates the firewall of the knob `firewall`. It blocks for that many seconds from the first request on, and then lets
 * everything through until the knob changes. With `needsUserAgent` it also blocks who does not name itself.
 */
export function createFirewall(): Firewall {
  let inForce = '';
  let since = 0;
  return (knobs, userAgent) => {
    const { firewall, needsUserAgent } = knobs;
    if (needsUserAgent && (userAgent ?? '') === '') return blockPage(403, {});
    const said = JSON.stringify(firewall);
    if (said !== inForce) {
      inForce = said;
      since = Date.now();
    }
    if (firewall === null) return undefined;
    if (firewall.seconds !== null && Date.now() >= since + firewall.seconds * 1000) return undefined;
    const headers = retryAfterOf(knobs);
    const { status } = firewall;
    switch (firewall.body) {
      case 'html':
        return blockPage(status, headers);
      case 'json':
        return jsonAnswer(status, { message: 'Forbidden' }, headers);
      case 'empty':
        return { status, headers, body: Buffer.alloc(0) };
    }
  };
}

function blockPage(status: number, headers: Answer['headers']): Answer {
  return { status, headers: { 'Content-Type': 'text/html', ...headers }, body: Buffer.from(BLOCK_PAGE) };
}

const BLOCK_PAGE = '<!doctype html><title>Blocked</title><h1>Request blocked</h1>';
