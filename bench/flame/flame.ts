import { escapeXml } from '../plot.ts';
import { type Frame, sharesOf } from './stack.ts';

const WIDTH = 1_000;
const ROW = 17;
const MARGIN = 10;
const LETTER = 6.8;
/** White between frames that stand side by side. */
const GAP = 0.4;
const LEGEND_COLUMNS = 5;
/** Frames with a smaller share of their stack are left out. */
const LEAST = 0.003;

/** Draws stacks one below the other as flame graphs: a function stands on its caller, as wide as its share (SVG). */
export function drawFlames(title: string, stacks: readonly Frame[]): string {
  let y = MARGIN + ROW;
  const shares = stacks.map(sharesOf);
  const rooms = [...(shares[0]?.keys() ?? [])].filter((room) => shares.some((each) => (each.get(room) ?? 0) >= LEAST));
  const drawn = stacks.map((stack) => {
    const height = heightOf(stack, stack.all * LEAST) * ROW;
    y += ROW + height;
    return drawFrame(stack, stack.all, { x: MARGIN, y, perSample: (WIDTH - 2 * MARGIN) / stack.all });
  });
  const legend = rooms.map(({ room, colour }, index) => {
    const x = MARGIN + (index % LEGEND_COLUMNS) * ((WIDTH - 2 * MARGIN) / LEGEND_COLUMNS);
    const top = y + 2 * ROW + Math.floor(index / LEGEND_COLUMNS) * ROW;
    return `<rect x="${x}" y="${top}" width="12" height="12" fill="${colour}"/><text x="${x + 17}" y="${top + 10}">${escapeXml(room)}</text>`;
  });
  y += (3 + Math.ceil(rooms.length / LEGEND_COLUMNS)) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11" fill="#111">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${MARGIN}" y="${MARGIN + 10}" font-size="14" font-weight="bold">${escapeXml(title)}</text>
${[...drawn, ...legend].join('\n')}
</svg>
`;
}

function heightOf({ all, callees }: Frame, least: number): number {
  return all < least ? 0 : 1 + Math.max(0, ...callees.values().map((callee) => heightOf(callee, least)));
}

/** Draws a frame with its lower edge at `y`, and what it calls above it, the widest first. */
function drawFrame(frame: Frame, of: number, at: { x: number; y: number; readonly perSample: number }): string {
  const width = frame.all * at.perSample;
  const letters = Math.floor((width - 4) / LETTER);
  const text = frame.name.length <= letters ? frame.name : `${frame.name.slice(0, letters - 1)}…`;
  const says = `${[frame.name, frame.place].filter(Boolean).join(' ')}: ${((frame.all / of) * 100).toFixed(1)} %`;
  let x = at.x;
  const callees = [...frame.callees.values()].filter(({ all }) => all >= of * LEAST).sort((a, b) => b.all - a.all);
  return [
    `<g><title>${escapeXml(says)}</title><rect x="${at.x.toFixed(1)}" y="${at.y - ROW}" width="${Math.max(width - GAP, GAP).toFixed(1)}" height="${ROW - 1}" fill="${frame.room?.colour ?? '#ddd'}"/>`,
    letters < 3 ? '' : `<text x="${(at.x + 3).toFixed(1)}" y="${at.y - 5}">${escapeXml(text)}</text>`,
    '</g>',
    ...callees.map((callee) => {
      const drawn = drawFrame(callee, of, { ...at, x, y: at.y - ROW });
      x += callee.all * at.perSample;
      return `\n${drawn}`;
    }),
  ].join('');
}
