import { readFile } from 'node:fs/promises';

/** Name under docs/runbooks of the page for an error code. A code that a caller can mend has none. */
export const runbookByCode: Readonly<Record<string, string>> = {
  upstream_credential_rejected: 'renew-the-credential',
  reauthorization_required: 'consent-again',
  upstream_account_locked: 'check-the-upstream',
  upstream_login_ambiguous: 'check-the-upstream',
  upstream_request_rejected: 'check-the-upstream',
  upstream_invalid_response: 'check-the-upstream',
  upstream_token_unusable: 'check-the-upstream',
  upstream_redirect: 'check-the-upstream',
  upstream_tls_invalid: 'check-the-upstream',
  upstream_throttled: 'check-the-upstream',
  upstream_session_limit: 'check-the-upstream',
  upstream_unavailable: 'check-the-upstream',
  upstream_unreachable: 'check-the-upstream',
  upstream_outcome_unknown: 'check-the-upstream',
  upstream_timeout: 'check-the-upstream',
  mint_unavailable: 'raise-the-concurrency',
  store_unavailable: 'find-the-failing-requests',
  kms_unavailable: 'find-the-failing-requests',
  audit_unavailable: 'find-the-failing-requests',
  internal: 'find-the-failing-requests',
};

/** Looks up the page that a code leads to; undefined for one that a caller mends, or that only a newer broker has. */
export function runbookOf(code: string): string | undefined {
  return Object.hasOwn(runbookByCode, code) ? runbookByCode[code] : undefined;
}

/** Names of the pages that codes lead to. */
export const RUNBOOKS: readonly string[] = [...new Set(Object.values(runbookByCode))];

/** Piece of a sentence. */
export type Span = { readonly kind: 'text' | 'code' | 'strong'; readonly text: string };

type Sentence = readonly Span[];

/** Part of a page: a heading, a paragraph, a list, or a table whose first row is its head. */
export type Block =
  | { readonly kind: 'heading' | 'paragraph'; readonly spans: Sentence }
  | { readonly kind: 'points'; readonly items: readonly Sentence[] }
  | { readonly kind: 'steps'; readonly first: number; readonly items: readonly Sentence[] }
  | { readonly kind: 'table'; readonly rows: readonly (readonly Sentence[])[] };

/** A runbook, to be drawn. */
export interface Runbook {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Folder of the pages beside built code, which `copySite` fills. */
const BUILT = new URL('./runbooks/', import.meta.url);
const REPOSITORY = new URL('../../docs/runbooks/', import.meta.url);

/** Reads one of `RUNBOOKS`. */
export async function readRunbook(name: string): Promise<Runbook> {
  if (!RUNBOOKS.includes(name)) throw new Error('There is no such runbook.');
  const file = `${name}.md`;
  const text = await readFile(new URL(file, BUILT), 'utf8').catch(() => readFile(new URL(file, REPOSITORY), 'utf8'));
  return parseRunbook(text);
}

const ITEM = /^(?:\d+\.|-) +/;

/**
 * Parses a page of Markdown as runbooks are written: headings, paragraphs, lists, tables; code, bold and links in
 * sentences.
 */
export function parseRunbook(markdown: string): Runbook {
  const [first = '', ...rest] = markdown.trim().split(/\n{2,}/);
  return { title: first.replace(/^# /, ''), blocks: rest.map(parseBlock) };
}

function parseBlock(text: string): Block {
  if (text.startsWith('## ')) return { kind: 'heading', spans: parseSpans(text.slice(3)) };
  if (/^ *\|/.test(text)) return { kind: 'table', rows: parseRows(text) };
  if (!ITEM.test(text)) return { kind: 'paragraph', spans: parseSpans(text) };
  const items = text.split(/\n(?=(?:\d+\.|-) )/).map((item) => parseSpans(item.replace(ITEM, '')));
  if (text.startsWith('-')) return { kind: 'points', items };
  return { kind: 'steps', first: Number.parseInt(text, 10), items };
}

/** Parses the rows of a table, without the line below its head. */
function parseRows(text: string): readonly (readonly Sentence[])[] {
  const lines = text.split('\n').map((line) => line.trim().replace(/^\||\|$/g, ''));
  const rows = lines.filter((line) => !/^[\s|:-]+$/.test(line));
  return rows.map((row) => row.split('|').map((cell) => parseSpans(cell.trim())));
}

const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)/g;

function parseSpans(text: string): Sentence {
  const line = text.replaceAll(/\s*\n\s*/g, ' ');
  const spans: Span[] = [];
  let end = 0;
  for (const { 0: whole, 1: code, 2: strong, 3: link = '', index } of line.matchAll(SPAN)) {
    if (index > end) spans.push({ kind: 'text', text: line.slice(end, index) });
    if (code !== undefined) spans.push({ kind: 'code', text: code });
    else if (strong !== undefined) spans.push({ kind: 'strong', text: strong });
    else spans.push({ kind: 'text', text: link });
    end = index + whole.length;
  }
  if (end < line.length) spans.push({ kind: 'text', text: line.slice(end) });
  return spans;
}
