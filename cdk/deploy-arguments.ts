/** Replaces `--stage NAME` in what was given on the command line by the context that CDK passes to the app. */
export function replaceStage(given: readonly string[]): string[] {
  return given.flatMap((word, index) => {
    if (word === '--stage') return ['--context'];
    if (given[index - 1] === '--stage') return [`stage=${word}`];
    return word.startsWith('--stage=') ? ['--context', word.slice('--'.length)] : [word];
  });
}

/** The settings among the words, which the app is given at synth. */
export function contextIn(words: readonly string[]): string[] {
  return words.filter(
    (word, index) => /^(?:--context|-c)(?:=|$)/.test(word) || /^(?:--context|-c)$/.test(words[index - 1] ?? ''),
  );
}
