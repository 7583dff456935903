import type { CommunityKnobs } from './community-knobs.ts';
import { type DemoRequest, jsonBody, mediaType } from './request.ts';

/** Reads parameter `l` from the first accepted transport that the request uses (C3). */
export function readLoginParameter(
  request: DemoRequest,
  transports: CommunityKnobs['loginTransports'],
): string | undefined {
  const sent = {
    query: () => new URLSearchParams(request.query).get('l') ?? undefined,
    form: () => formValue(request),
    json: () => jsonValue(request),
  };
  for (const transport of ['query', 'form', 'json'] as const) {
    const value = transports.includes(transport) ? sent[transport]() : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Splits `l` in one of the ways that a server may (C4); `all` loses the text after a second pipe. */
export function splitLogin(
  l: string,
  pipeSplit: CommunityKnobs['pipeSplit'],
): { username: string; password: string } | undefined {
  const at = pipeSplit === 'last' ? l.lastIndexOf('|') : l.indexOf('|');
  if (at < 0) return undefined;
  const rest = l.slice(at + 1);
  return { username: l.slice(0, at), password: pipeSplit === 'all' ? (rest.split('|')[0] ?? '') : rest };
}

function formValue(request: DemoRequest): string | undefined {
  if (mediaType(request) !== 'application/x-www-form-urlencoded') return undefined;
  return new URLSearchParams(request.body.toString('utf8')).get('l') ?? undefined;
}

function jsonValue(request: DemoRequest): string | undefined {
  if (mediaType(request) !== 'application/json') return undefined;
  const body = jsonBody(request);
  if (typeof body !== 'object' || body === null || !('l' in body)) return undefined;
  return typeof body.l === 'string' ? body.l : undefined;
}
