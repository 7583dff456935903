import type { Telemetry } from '../core/words/platform.ts';

const FRAMES = 5;

/** Logs where an unforeseen error came from, but not its message: that may quote anything. */
export function reportUnforeseen(telemetry: Telemetry, error: unknown, requestId: string): void {
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: '' };
  const at = (stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, FRAMES);
  telemetry.warn('Something unforeseen was thrown.', { name, at: at.join(' '), requestId });
}
