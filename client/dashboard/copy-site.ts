import { cp } from 'node:fs/promises';

/**
 * Copies the page's files to `folder`, beside built code, which looks for them in its own `site/` as `site-files.ts`
 * does here.
 */
export async function copySite(folder: string): Promise<void> {
  await cp(new URL('./site/', import.meta.url), `${folder}/site`, { recursive: true });
}
