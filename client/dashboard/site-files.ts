import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

const folder = new URL('./site/', import.meta.url);

const contentTypes: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'theme.css': 'text/css; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'connection.css': 'text/css; charset=utf-8',
  'past.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'element.js': 'text/javascript; charset=utf-8',
  'connection-card.js': 'text/javascript; charset=utf-8',
  'slot-row.js': 'text/javascript; charset=utf-8',
  'history.js': 'text/javascript; charset=utf-8',
  'history-chart.js': 'text/javascript; charset=utf-8',
  'runbook.js': 'text/javascript; charset=utf-8',
  'audit.js': 'text/javascript; charset=utf-8',
  'words.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Names of the page's files. */
export const SITE_FILES: readonly string[] = Object.keys(contentTypes);

/** Content security policy: only the page's own files, no inline script or style, no other server, no framing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Sends one of `SITE_FILES`. Files are read at each request, so that an edit shows at the next load. */
export async function sendSiteFile(response: ServerResponse, name: string): Promise<void> {
  const contentType = Object.hasOwn(contentTypes, name) ? contentTypes[name] : undefined;
  if (contentType === undefined) throw new Error('There is no such file of the page.');
  sendFile(response, { contentType, bytes: await readFile(new URL(name, folder)), policy: POLICY });
}

/** Sends a file with its content security policy. */
export function sendFile(
  response: ServerResponse,
  { contentType, bytes, policy }: { readonly contentType: string; readonly bytes: Buffer; readonly policy: string },
): void {
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': bytes.length,
    'content-security-policy': policy,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  });
  response.end(bytes);
}
