import type { Reporter } from 'vitest/node';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { createCanarySearch } from './canary-forms.ts';

/** A whole JWT: what HelpMaster issues. */
const WHOLE_JWT = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/;

/**
 * A vitest reporter that listens to all that a test run prints and fails the run where a credential of the demo or a
 * whole JWT is among it. A failed test may print what it compared, so a run that fails anyway is not judged.
 */
export default class CanaryReporter implements Reporter {
  #printed = '';
  #restore: (() => void) | undefined;

  onInit(): void {
    const restores = [process.stdout, process.stderr].map((stream) => this.#listen(stream));
    this.#restore = () => {
      for (const restore of restores) restore();
    };
  }

  onTestRunEnd(_modules: unknown, _errors: unknown, reason: 'passed' | 'interrupted' | 'failed'): void {
    this.#restore?.();
    if (reason !== 'passed') return;
    const search = createCanarySearch([
      { name: 'the API key of the demo', value: demoHelpmasterSecret.apiKey },
      { name: 'the password of the demo', value: demoCommunitySecret.password },
    ]);
    const found = [...search(this.#printed), ...(WHOLE_JWT.test(this.#printed) ? ['a whole JWT'] : [])];
    if (found.length === 0) return;
    process.stderr.write(`The run printed ${found.join(', ')}. No output may hold a credential or a token.\n`);
    process.exitCode = 1;
  }

  /** Notes what is written to a stream and lets it pass; gives the way back. */
  #listen(stream: NodeJS.WriteStream): () => void {
    const { write } = stream;
    stream.write = (...args: unknown[]) => {
      const [chunk] = args;
      this.#printed += typeof chunk === 'string' ? chunk : chunk instanceof Uint8Array ? Buffer.from(chunk) : '';
      return Reflect.apply(write, stream, args);
    };
    return () => {
      stream.write = write;
    };
  }
}
