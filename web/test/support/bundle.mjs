// Modules of the page, made loadable in Node: for tests of what needs no browser.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

let loads = 0;

/** The exports of a module of the page, like `src/state.ts`: each time anew, as a page that is loaded has it. */
export async function load(module) {
  loads += 1;
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [module],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
  return import(`data:text/javascript;base64,${Buffer.from(`${outputFiles[0].text}\n// ${loads}`).toString('base64')}`);
}
