import { cp } from 'node:fs/promises';

/**
 * Puts the page's files into `folder`, where built code is: it looks for them in `site/` beside itself, as
 * `site-files.ts` does here.
 */
export async function copySite(folder: string): Promise<void> {
  await cp(new URL('./site/', import.meta.url), `${folder}/site`, { recursive: true });
}
