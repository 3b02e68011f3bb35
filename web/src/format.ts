// Numbers and times as the page writes them.

const whole = new Intl.NumberFormat('en');
const money = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  maximumSignificantDigits: 3,
});

/** A count: `1,234`. */
export function count(value: number): string {
  return whole.format(value);
}

/** A noun, as it stands behind `1` and behind every other number. */
interface Noun {
  one: string;
  many: string;
}

/** A count with its noun: `1 token`, `2 tokens`. */
export function counted(value: number, { one, many }: Noun): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A duration given in milliseconds: `212 ms`, `1.95 s`, `4 min 05 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(2)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** US dollars: `$0.00123`. */
export function dollars(value: number): string {
  return money.format(value);
}

/** Any JSON value, laid out for reading. */
export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? '';
}
