import { isSame, SAME_WITHIN } from './rounds.ts';
import { figure, type Section, type Table } from './section.ts';

/** Writes a run as Markdown: where it was, its targets, then part by part. */
export function markdownOf(run: readonly (readonly [string, string])[], sections: readonly Section[]): string {
  return `${[
    '# Benchmark',
    run.map(([name, value]) => `- **${name}**: ${value}`).join('\n'),
    `Ratios are of medians over rounds in which everything is measured in turn. In each part one thing is measured twice; where it differs from itself by more than ${SAME_WITHIN.low} to ${SAME_WITHIN.high}, the part’s times are void, and only what is counted stands.`,
    '## Targets',
    tableOf({
      columns: ['', 'target', 'measured', 'met'],
      rows: sections.flatMap((section) =>
        section.targets.map(({ what, target, measured, met }) => [
          `${section.title}: ${what}`,
          target,
          measured,
          `${met ? 'yes' : '**no**'}${isVoid(section) ? ' (void)' : ''}`,
        ]),
      ),
    }),
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      ...section.notes,
      ...section.tables.map(tableOf),
      ...(section.picture === undefined ? [] : [`![${section.picture.title}](${section.picture.file})`]),
      ...(section.twin === undefined
        ? []
        : [`The same twice: ${figure(section.twin)}${isVoid(section) ? ', **void**' : ''}.`]),
    ]),
  ].join('\n\n')}\n`;
}

/** Reports whether a part's times cannot be trusted. */
export function isVoid({ twin }: Section): boolean {
  return twin !== undefined && !isSame(twin);
}

function tableOf({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
