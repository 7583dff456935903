import { createHash } from 'node:crypto';
import * as z from 'zod';

const handOut = z.object({
  access_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number().positive(),
  connection: z.string(),
  subject: z.string(),
  generation: z.number().int().positive(),
  source: z.enum(['cache', 'login', 'slide']),
  headers: z.record(z.string(), z.string()),
});

/** A hand-out as the API answered it, its token known by the first 12 hex digits of its SHA-256. */
export interface HandedOut {
  readonly tokenHash: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: number;
  readonly source: 'cache' | 'login' | 'slide';
}

/** Reads a hand-out out of what a command printed. Throws, without quoting it, for anything else. */
export function handedOutIn(output: string): HandedOut {
  const parsed = handOut.safeParse(jsonIn(output));
  if (!parsed.success) throw new Error(`The answer is no hand-out; its code is ${problemCodeIn(output) ?? 'none'}.`);
  const { access_token: token, headers, generation, source } = parsed.data;
  const tokenHash = createHash('sha256').update(token).digest('hex').slice(0, 12);
  return { tokenHash, headers, generation, source };
}

/** The code of a problem response in what a command printed; undefined where there is none. */
export function problemCodeIn(output: string): string | undefined {
  const parsed = z.object({ code: z.string() }).safeParse(jsonIn(output));
  return parsed.data?.code;
}

function jsonIn(output: string): unknown {
  try {
    return JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1));
  } catch {
    return undefined;
  }
}
