/**
 * Stands in a bundle for the SDK's event streams. No operation that the broker asks for has one, so they would be
 * weight alone, and a chunk more at a cold start: each one that is loaded on demand splits what it shares with the rest.
 */
export class EventStreamSerde {}

/** Leaves a client's configuration as it is. */
export function resolveEventStreamSerdeConfig<Config>(config: Config): Config {
  return config;
}

/** Provides no streams. */
export function eventStreamSerdeProvider(): undefined {
  return undefined;
}
