// The accessibility checks of axe. The page must be opened with `bypassCSP: true`, since axe is put
// into it from outside.

import { createRequire } from 'node:module';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong with the page as it is. */
export async function violations(page) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.addScriptTag({ path: AXE });
  const options = { runOnly: RULES, resultTypes: ['violations'] };
  const found = await page.evaluate((asked) => globalThis.axe.run(asked), options);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
