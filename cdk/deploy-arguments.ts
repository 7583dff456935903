import { parseArgs } from 'node:util';

/** The words of `npm run deploy`. */
export interface DeployArguments {
  /** AWS profile, for synth, comparison and deployment alike. */
  readonly profile: string | undefined;
  /** True if who deploys is to be let in to the API. */
  readonly allowsMe: boolean;
  /** True if nothing is to be asked. */
  readonly isAgreed: boolean;
  /** Settings of the app, each as `KEY=VALUE`. */
  readonly context: readonly string[];
  /** All other words, for `cdk deploy`. */
  readonly passedOn: readonly string[];
}

/** Options that are acted on here. The question of `--require-approval` is asked here too, so CDK never gets it. */
const OPTIONS = {
  profile: { type: 'string' },
  stage: { type: 'string' },
  yes: { type: 'boolean' },
  'allow-me': { type: 'boolean' },
  context: { type: 'string', short: 'c', multiple: true },
  'require-approval': { type: 'string' },
} as const;

/** Reads the words of the command line. `--stage NAME` is the setting `stage=NAME`. */
export function readDeployArguments(words: readonly string[]): DeployArguments {
  const args = [...words];
  const { tokens, values } = parseArgs({ args, options: OPTIONS, strict: false, allowPositionals: true, tokens: true });
  const own = new Set(
    tokens.flatMap((token) => {
      if (token.kind !== 'option' || !Object.hasOwn(OPTIONS, token.name)) return [];
      return token.value === undefined || token.inlineValue ? [token.index] : [token.index, token.index + 1];
    }),
  );
  const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const stage = textOf(values.stage);
  return {
    profile: textOf(values.profile),
    allowsMe: values['allow-me'] === true,
    isAgreed: values.yes === true,
    context: [
      ...(values.context ?? []).filter((each) => typeof each === 'string'),
      ...(stage === undefined ? [] : [`stage=${stage}`]),
    ],
    passedOn: words.filter((_, index) => !own.has(index)),
  };
}
