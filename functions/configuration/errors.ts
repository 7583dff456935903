const LONGEST_KEY_SHOWN = 64;

/** A fault of a declaration: its path (`connections.helpdesk.baseUrl`, `''` for the whole), and the remedy. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * Says everything that is wrong with a declaration at once. The message names `source` and has a line for each problem;
 * neither it nor `problems` quotes a value that could be a credential.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly Problem[];
  readonly source: string;

  constructor(problems: readonly Problem[], source = 'The configuration') {
    super(describe(problems, source));
    this.problems = problems;
    this.source = source;
  }
}

function describe(problems: readonly Problem[], source: string): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map(({ path, message }) => (path === '' ? `  ${message}` : `  ${path}: ${message}`));
  return [`${source} has ${count}:`, ...lines].join('\n');
}

/** Creates the problem of the key at `path`. */
export function createProblem(path: readonly PropertyKey[], message: string): Problem {
  return { path: renderPath(path), message };
}

/** Renders a path into a declaration as one would write it in code; long or odd keys are cut and quoted. */
function renderPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((rendered, key) => {
    if (typeof key === 'number') {
      return `${rendered}[${key}]`;
    }
    const text = quoteIfOdd(String(key));
    return text.startsWith('"') ? `${rendered}[${text}]` : rendered === '' ? text : `${rendered}.${text}`;
  }, '');
}

/** Names a key that the operator wrote: as it is where it is plain, else quoted, escaped and cut. */
export function quoteIfOdd(key: string): string {
  const isPlain = key.length <= LONGEST_KEY_SHOWN && /^[A-Za-z0-9_-]+$/.test(key);
  return isPlain ? key : JSON.stringify(key.length > LONGEST_KEY_SHOWN ? `${key.slice(0, LONGEST_KEY_SHOWN)}…` : key);
}
