import type { Configuration } from './configuration.ts';

// Raise it whenever a function could misread what an older or newer synth wrote.
const FORMAT = 3;

/** Writes a resolved configuration as the JSON text that travels inside a function's asset. */
export function serializeConfiguration(configuration: Configuration): string {
  return JSON.stringify({ format: FORMAT, configuration });
}

/**
 * Reads back what `serializeConfiguration` wrote, without validating it again: this runs at every cold start.
 * Throws where the text is none of ours or of another format, which means that code and configuration were built apart.
 */
export function parseConfiguration(text: string): Configuration {
  const { format, configuration } = parseStamped(text);
  if (format !== FORMAT || configuration === undefined) {
    throw new Error(
      `The bundled configuration has format ${typeof format === 'number' ? format : 'none'}, and this code reads format ${FORMAT}. Synthesise and deploy again, so that both come from one build.`,
    );
  }
  return { ...configuration, connections: Object.assign(Object.create(null), configuration.connections) };
}

interface Stamped {
  readonly format?: unknown;
  readonly configuration?: Configuration;
}

function parseStamped(text: string): Stamped {
  try {
    // Written by `serializeConfiguration` in the same build; the stamp is what guards against anything else.
    return (JSON.parse(text) as Stamped | null) ?? {};
  } catch {
    throw new Error('The bundled configuration is not JSON. Synthesise and deploy again.');
  }
}
