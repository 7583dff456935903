/** Hosts that stand for another in examples, and that nobody can log in to (RFC 2606). */
const EXAMPLE_HOST = /(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid)$/;

/** Reports whether a URL is an example's. */
export function isExample(url: string): boolean {
  return EXAMPLE_HOST.test(new URL(url).hostname);
}

/** Lists the base URLs of connections that are an example's. */
export function findExamples(connections: Readonly<Record<string, { readonly baseUrl: string }>>): string[] {
  return Object.values(connections)
    .map(({ baseUrl }) => baseUrl)
    .filter(isExample);
}
