import type { HttpResponse } from './port.ts';

const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i;
const XML_ENCODING = /^<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]+)["']/;
/** The first bytes in which a mark or a declaration stands. */
const HEAD_BYTES = 256;

/**
 * Decodes a body by its byte order mark, else by the charset of its `Content-Type`, else by its XML declaration, else as
 * UTF-8. So is what names no known charset, or UTF-16 where it plainly is none. Never throws: what is no character
 * becomes U+FFFD.
 */
export function decodeText({ headers, body }: Pick<HttpResponse, 'headers' | 'body'>): string {
  const head = body.subarray(0, HEAD_BYTES).toString('latin1');
  const [type = ''] = headers['content-type'] ?? [];
  const [, quoted, plain] = CHARSET.exec(type) ?? [];
  const [, declared] = XML_ENCODING.exec(head) ?? [];
  const labels = [markedIn(head), quoted ?? plain ?? declared, 'utf-8'];
  const decoders = labels.flatMap((label) => decoderOf(label) ?? []);
  const decoder = decoders.find(({ encoding }) => !encoding.startsWith('utf-16') || isSixteenBits(body));
  return (decoder ?? new TextDecoder()).decode(body);
}

function markedIn(head: string): string | undefined {
  if (head.startsWith('\xef\xbb\xbf')) return 'utf-8';
  if (head.startsWith('\xfe\xff')) return 'utf-16be';
  return head.startsWith('\xff\xfe') ? 'utf-16le' : undefined;
}

function decoderOf(label: string | undefined): InstanceType<typeof TextDecoder> | undefined {
  try {
    return label === undefined ? undefined : new TextDecoder(label);
  } catch {
    return undefined;
  }
}

/** Reports whether a body may be UTF-16: JSON and XML begin with ASCII, one byte of which is zero then. */
function isSixteenBits(body: Buffer): boolean {
  return body.subarray(0, 4).includes(0);
}
