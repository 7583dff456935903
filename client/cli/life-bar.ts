import type { SlotStatus } from '../broker-api.ts';
import type { Paint } from './terminal.ts';

const GLYPHS = {
  blocks: { left: '█', gone: '░', refresh: '┃' },
  ascii: { left: '#', gone: '-', refresh: '|' },
} as const;

/**
 * Draws the rest of a token's life: full at issue, empty at the end, with a mark at the refresh point. `width` is in
 * characters. Green before the mark, yellow after it, red in the last tenth. Empty text for a slot without a token.
 */
export function lifeBarOf(
  { issued_at: issuedAt, expires_at: expiresAt, refresh_at: refreshAt }: SlotStatus,
  {
    now,
    paint,
    blocks,
    width,
  }: { readonly now: number; readonly paint: Paint; readonly blocks: boolean; readonly width: number },
): string {
  if (issuedAt === null || expiresAt === null || refreshAt === null) return '';
  const [begin, end, refresh] = [issuedAt, expiresAt, refreshAt].map(Date.parse) as [number, number, number];
  const life = end - begin;
  if (life <= 0) return '';
  const share = Math.min(1, Math.max(0, (end - now) / life));
  const filled = Math.round(share * width);
  const mark = Math.min(width - 1, Math.max(0, Math.round(((end - refresh) / life) * width)));
  const glyphs = blocks ? GLYPHS.blocks : GLYPHS.ascii;
  const style = share <= 0.1 ? 'red' : now >= refresh ? 'yellow' : 'green';
  const cells = Array.from({ length: width }, (_, at) => {
    if (at === mark) return paint('bold', glyphs.refresh);
    return at < filled ? paint(style, glyphs.left) : paint('dim', glyphs.gone);
  });
  return cells.join('');
}
