import { parseSetCookie } from 'set-cookie-parser';

/** A cookie that an answer sets. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
}

/** Parses the cookies that `Set-Cookie` lines set, not delete; of two with one name the last counts (RFC 6265 §5.3). */
export function parseCookies(lines: readonly string[], now: number): readonly Cookie[] {
  const cookies = new Map<string, Cookie>();
  for (const { name, value, maxAge, expires } of parseSetCookie([...lines], { decodeValues: false, silent: true })) {
    const hasEnded = maxAge === undefined ? expires !== undefined && expires.getTime() <= now : maxAge <= 0;
    cookies.delete(name);
    if (name !== '' && value !== '' && !hasEnded) cookies.set(name, { name, value });
  }
  return [...cookies.values()];
}
