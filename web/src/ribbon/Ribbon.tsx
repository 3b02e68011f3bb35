// The bar under an answer that shows, to scale, when it waited, when a tool ran and when it wrote.
// Drawn while the answer runs and after. Nothing is drawn yet.

import type { Answer } from '../state';

export function Ribbon(_: { answer: Answer }) {
  return null;
}
