import type { Bar, Section } from './section.ts';

const WIDTH = 900;
const LABELS = 330;
/** The column of figures before the bars, where neither spread nor target can cross them. */
const FIGURES = 52;
const ROW = 24;
const TITLE = 44;
const MARGIN = 20;

/** Draws the ratios of a run as bars, each with its spread, the line at 1 and the target where there is one (SVG). */
export function svgOf(sections: readonly Section[]): string {
  const plots = sections.flatMap(({ plot }) => (plot === undefined ? [] : [plot]));
  let y = MARGIN;
  const drawn = plots.map(({ title, bars }) => {
    const top = y;
    y += TITLE + bars.length * ROW + MARGIN;
    return drawPlot(title, bars, top);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="13">
<title>Benchmark: ratios with their spread, and targets in red</title>
<rect width="100%" height="100%" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function drawPlot(title: string, bars: readonly Bar[], top: number): string {
  const most = Math.max(
    1,
    ...bars.map(({ value, high, limit = 0 }) => Math.max(value, Math.min(high, value * 1.5), limit)),
  );
  const x = (value: number) => LABELS + (Math.min(value, most * 1.05) / (most * 1.1)) * (WIDTH - LABELS - MARGIN);
  const bottom = top + TITLE + bars.length * ROW;
  const lines = bars.map((bar, index) => drawBar(bar, x, top + TITLE + index * ROW));
  return `<text x="${MARGIN}" y="${top + 18}" font-weight="bold">${escapeXml(title)}</text>
<line x1="${at(x(1))}" x2="${at(x(1))}" y1="${top + 32}" y2="${bottom}" stroke="#888" stroke-dasharray="3 3"/>
<text x="${at(x(1))}" y="${top + 30}" text-anchor="middle" font-size="11" fill="#555">1</text>
${lines.join('\n')}`;
}

function drawBar({ name, value, low, high, limit }: Bar, x: (value: number) => number, y: number): string {
  const middle = y + ROW / 2;
  const isMet = limit === undefined || value <= limit;
  const mark =
    limit === undefined
      ? ''
      : `<line x1="${at(x(limit))}" x2="${at(x(limit))}" y1="${y + 2}" y2="${y + ROW - 2}" stroke="#c00" stroke-width="2"/>`;
  return `<text x="${LABELS - FIGURES}" y="${middle + 4}" text-anchor="end">${escapeXml(name)}</text>
<text x="${LABELS - 8}" y="${middle + 4}" text-anchor="end" fill="#555">${value.toFixed(2)}</text>
<rect x="${LABELS}" y="${y + 4}" width="${at(x(value) - LABELS)}" height="${ROW - 8}" fill="${isMet ? '#4a7fb5' : '#c77'}"/>
<line x1="${at(x(low))}" x2="${at(x(high))}" y1="${middle}" y2="${middle}" stroke="#123"/>${mark}`;
}

function at(value: number): string {
  return value.toFixed(1);
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
