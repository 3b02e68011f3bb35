// Bundles the page: `node build.mjs OUTDIR`.
//
// OUTDIR is emptied, then holds `index.html` and `assets/*`, whose names carry a hash of their
// content, so that a browser may keep them for ever. Beside each text file lies its brotli
// (`.br`) form. The server's build script calls this, and so do the browser tests.

import { build } from 'esbuild';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const compress = promisify(brotliCompress);

/** Bundles scripts and styles into `outDir/assets`; answers with the file names that the
 *  page refers to. */
async function bundle(outDir) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.tsx', theme: 'src/theme.js' },
    outdir: join(outDir, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  });
  const outputs = Object.entries(result.metafile.outputs);
  const entry = (source) => outputs.find(([, { entryPoint }]) => entryPoint === source);
  const [script, { cssBundle }] = entry('src/main.tsx');
  const [theme] = entry('src/theme.js');
  return { theme: basename(theme), script: basename(script), style: basename(cssBundle) };
}

/** Writes the page with the hashed names in it. */
async function writeIndex(outDir, { theme, script, style }) {
  const template = await readFile(join(here, 'src/index.html'), 'utf8');
  const page = template
    .replace('%THEME%', `/assets/${theme}`)
    .replace('%STYLE%', `/assets/${style}`)
    .replace('%SCRIPT%', `/assets/${script}`);
  await writeFile(join(outDir, 'index.html'), page);
}

/** Writes `NAME.br` beside every file of `directory`. */
async function compressFiles(directory) {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(directory, entry.name));
  await Promise.all(
    files.map(async (file) => writeFile(`${file}.br`, await compress(await readFile(file)))),
  );
}

export async function buildPage(outDir) {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(join(outDir, 'assets'), { recursive: true });
  await writeIndex(outDir, await bundle(outDir));
  await compressFiles(outDir);
  await compressFiles(join(outDir, 'assets'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outDir = process.argv[2];
  if (!outDir) {
    console.error('usage: node build.mjs OUTDIR');
    process.exit(2);
  }
  await buildPage(outDir);
}
