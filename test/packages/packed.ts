import type { TestProject } from 'vitest/node';
import { buildPackages } from '../../packages/build.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The packed files, by the name of the package. */
    packed: { readonly broker: string; readonly client: string };
  }
}

/** Builds and packs both packages, once for all tests. */
export async function setup({ provide }: TestProject): Promise<void> {
  provide('packed', await buildPackages());
}
