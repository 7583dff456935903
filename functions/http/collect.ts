/** Collects the chunks of a stream, up to a cap. */
export async function collect(
  stream: AsyncIterable<Buffer> & { destroy(): void },
  maximumBytes: number,
): Promise<Buffer | 'too_large' | 'broken'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += chunk.length;
      // Leaving the loop destroys the stream.
      if (bytes > maximumBytes) return 'too_large';
      chunks.push(chunk);
    }
  } catch {
    return 'broken';
  }
  return Buffer.concat(chunks);
}
