/** Epoch milliseconds as ISO 8601 in UTC, to the whole second that has begun. */
export function isoSeconds(epochMs: number): string {
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, -5)}Z`;
}
