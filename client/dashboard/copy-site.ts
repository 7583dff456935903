import { cp } from 'node:fs/promises';

/**
 * Copies the page's files and the runbooks to `folder`, beside built code, which looks for them in its own `site/` and
 * `runbooks/`.
 */
export async function copySite(folder: string): Promise<void> {
  await cp(new URL('./site/', import.meta.url), `${folder}/site`, { recursive: true });
  await cp(new URL('../../docs/runbooks/', import.meta.url), `${folder}/runbooks`, { recursive: true });
}
