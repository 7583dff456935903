import { readCommandLine, readProgramOptions } from '../../client/cli/command-line.ts';
import { commands } from '../../client/cli/run.ts';

const FENCED = /^ *```\w*\n(.*?)^ *```$/gms;
const INLINE = /`token-broker ([^`\n]*)`/g;
/** The program at the place of a command: first in a line, or behind a prompt, a pipe, npm or npx. */
const TYPED = /(?:^|\$ |\| |\$\(|npm run -s |npx )token-broker (?:-- )?(.*)$/gm;

/** Command lines of the program in the blocks of a page, without the program's name. */
export function typedIn(text: string): readonly string[] {
  return [...text.matchAll(FENCED)].flatMap(([, block = '']) =>
    [...block.matchAll(TYPED)].map(([, line = '']) => line),
  );
}

/** Command lines in the sentences of a text; operands may be left out there. */
export function namedIn(text: string): readonly string[] {
  return [...text.replace(FENCED, '').matchAll(INLINE)].map(([, line = '']) => line);
}

/** Says why a command line cannot be meant; undefined where it can. `isWhole` if no operand may be left out. */
export function mistakeIn(line: string, isWhole: boolean): string | undefined {
  const words = wordsOf(line);
  if (words.some((word) => /^(?:…|COMMAND)$/.test(word))) return undefined;
  try {
    if (readProgramOptions(words) === undefined) readCommandLine(commands, words);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return !isWhole && /is missing/.test(message) ? undefined : `${line}: ${message}`;
  }
}

/** Words of a line as a shell has them, up to a pipe, a redirection or a comment; what it computes is one word. */
function wordsOf(line: string): readonly string[] {
  const [simple = ''] = line.replaceAll(/\$\([^)]*\)/g, 'x').split(/ (?:[|<&]|>>?|#) ?/);
  return (simple.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replaceAll(/['"]/g, ''));
}
