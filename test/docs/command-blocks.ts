/** A block of commands on a page. */
export interface CommandBlock {
  /** The commands: every line of a `sh` block, those behind a prompt of a `console` block. */
  readonly commands: readonly string[];
  /** Output that a `console` block shows. */
  readonly shown: string;
  /** True where the page says, right before it, that no test runs it. */
  readonly isMarked: boolean;
}

const FENCED = /^ *```(\w*)\n(.*?)^ *```$/gms;
/** The words before a block that no test runs. */
const MARK = /\*Not run by (?:a|the) test:\*\s*$/;

/** Finds the blocks of commands of a page. */
export function commandBlocksOf(page: string): readonly CommandBlock[] {
  const blocks: CommandBlock[] = [];
  let end = 0;
  for (const found of page.matchAll(FENCED)) {
    const [whole, language, text = ''] = found;
    const before = page.slice(end, found.index).replaceAll(/<!--.*?-->/g, '');
    end = found.index + whole.length;
    if (language !== 'sh' && language !== 'console') continue;
    const lines = text.trimEnd().split('\n');
    const isPrompt = (line: string) => language === 'sh' || line.startsWith('$ ');
    blocks.push({
      commands: lines.filter(isPrompt).map((line) => line.replace(/^\$ /, '')),
      shown: lines.filter((line) => !isPrompt(line)).join('\n'),
      isMarked: MARK.test(before),
    });
  }
  return blocks;
}
