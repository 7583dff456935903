import { type Command, operand } from '../command.ts';
import { COMPLETE } from '../completions.ts';
import { didYouMean } from '../did-you-mean.ts';
import { EXIT, UsageError } from '../exit-codes.ts';

/** Scripts by shell. Each gives the words to the program, and takes a candidate and its explanation from each line. */
const scripts: Readonly<Record<string, string>> = {
  bash: `_token_broker() {
  local IFS=$'\\n'
  COMPREPLY=($(token-broker ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _token_broker token-broker`,
  zsh: `#compdef token-broker
_token_broker() {
  local -a found
  local line
  for line in "\${(@f)$(token-broker ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then _describe token-broker found; else _files; fi
}
if [[ $funcstack[1] == _token_broker ]]; then _token_broker; else compdef _token_broker token-broker; fi`,
  fish: `function __token_broker_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (token-broker ${COMPLETE} $words[2..] 2>/dev/null)
    if test (count $found) -gt 0
        string join \\n $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c token-broker -f -a '(__token_broker_complete)'`,
};
const shells = Object.keys(scripts);

/** `token-broker completion`: prints the script by which a shell completes this program's words. */
export const completionCommand: Command = {
  name: 'completion',
  summary: 'prints a script for bash, zsh or fish that completes commands, options and connections',
  operands: ['SHELL'],
  choices: shells,
  options: {},
  notes: [
    'The names of connections are asked of the broker at TOKEN_BROKER_URL, for 2 seconds at the most, as `connections` asks.',
  ],
  examples: [
    ['completion bash >> ~/.bashrc', 'for bash, from the next shell on'],
    ['completion zsh > ~/.zfunc/_token-broker', 'for zsh, in a folder of its fpath'],
    ['completion fish > ~/.config/fish/completions/token-broker.fish', 'for fish'],
  ],
  async run(call) {
    const shell = operand(call, 0);
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined) {
      throw new UsageError(`There is a script for ${shells.join(', ')}.${didYouMean(shell, shells)}`);
    }
    call.print(script);
    return EXIT.ok;
  },
};
