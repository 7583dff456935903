import type { MetricLine, MetricValue, Telemetry } from '../../functions/core/words/platform.ts';

interface SaidMetric extends MetricValue, MetricLine {
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The broker's telemetry: metrics by name, every line, and the warnings among the lines once more. */
export interface Said {
  readonly metrics: SaidMetric[];
  readonly lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  readonly warnings: string[];
}

/** Creates telemetry that keeps what is said. */
export function createSaid(): { readonly said: Said; readonly telemetry: Telemetry } {
  const said: Said = { metrics: [], lines: [], warnings: [] };
  const telemetry: Telemetry = {
    metrics(dimensions, values, line) {
      for (const [name, value] of Object.entries(values)) said.metrics.push({ name, ...value, dimensions, ...line });
    },
    warn(message, fields) {
      said.warnings.push(message);
      said.lines.push({ message, fields });
    },
    info: (message, fields) => said.lines.push({ message, fields }),
  };
  return { said, telemetry };
}
