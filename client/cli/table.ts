import { stripVTControlCharacters } from 'node:util';

/** Formats rows in columns two spaces apart; the last is not padded. Escape sequences have no width. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}

/** Width of a text in columns. */
function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Formats a duration: `23 h 55 m`, `19 m 12 s`, `8 s`; `over` if none is left. */
export function durationOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds <= 0) return 'over';
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}
