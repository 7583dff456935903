/** A step of the document: a block of shell commands with a name in the comment above it. */
export interface DocumentedStep {
  readonly name: string;
  readonly commands: string;
}

const BLOCK = /```sh\n([\s\S]*?)```/g;

/**
 * The steps of a document, in their order, by the word in front of their names. Throws for a mark without a block right below
 * it, and for a block of shell commands without a mark: whatever a reader is told to type is either run or says why not.
 */
export function stepsIn(markdown: string, word = 'deploy test'): readonly DocumentedStep[] {
  const mark = `<!-- ${word}: ([a-z-]+) -->`;
  const found = [...markdown.matchAll(new RegExp(`${mark}\\n+\`\`\`sh\\n([\\s\\S]*?)\`\`\``, 'g'))];
  const steps = found.map(([, name = '', commands = '']) => ({ name, commands }));
  const marks = [...markdown.matchAll(new RegExp(mark, 'g'))].length;
  const blocks = blocksIn(markdown).length;
  if (marks !== steps.length)
    throw new Error(`${marks - steps.length} marks of steps have no block of commands below them.`);
  if (blocks !== steps.length) throw new Error(`${blocks - steps.length} blocks of commands have no mark above them.`);
  return steps;
}

/** The blocks of shell commands in `markdown`, in their order. */
export function blocksIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(BLOCK)].map(([, commands = '']) => commands);
}

/** The part of a document under the heading that `title` matches, down to the next heading of the same or a higher level. */
export function sectionOf(markdown: string, title: RegExp): string | undefined {
  const lines = markdown.split('\n');
  const levelOf = (line: string) => /^(#+) /.exec(line)?.[1]?.length;
  const start = lines.findIndex((line) => levelOf(line) !== undefined && title.test(line));
  const level = levelOf(lines[start] ?? '');
  if (level === undefined) return undefined;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => (levelOf(line) ?? Number.POSITIVE_INFINITY) <= level);
  return rest.slice(0, end < 0 ? undefined : end).join('\n');
}

/** The lines of shell commands in `markdown` that no step holds. */
export function linesNotIn(markdown: string, steps: readonly DocumentedStep[]): readonly string[] {
  const known = new Set(steps.flatMap(({ commands }) => linesOf(commands)));
  const lines = blocksIn(markdown).flatMap(linesOf);
  return lines.filter((line) => !known.has(line));
}

function linesOf(commands: string): string[] {
  return commands
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
