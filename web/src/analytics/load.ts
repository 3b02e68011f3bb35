// Asks the server for the figures of a range.

import { api } from '../api';
import { type Figures, figuresOf, type Grouping, type RangeName, RANGES } from './figures';

export async function load(range: RangeName, by: Grouping, now: number, signal: AbortSignal): Promise<Figures> {
  const { span, bucket } = RANGES[range];
  const time = { from: new Date(now - span).toISOString(), to: new Date(now).toISOString() };
  const group_by = by === 'model' ? 'provider,model' : 'provider';
  const [total, rows, groupTotals, groupRows] = await Promise.all([
    api.analytics({ ...time, bucket: 'all' }, signal),
    api.analytics({ ...time, bucket }, signal),
    api.analytics({ ...time, bucket: 'all', group_by }, signal),
    api.analytics({ ...time, bucket, group_by }, signal),
  ]);
  return figuresOf({ total, rows, groupTotals, groupRows }, bucket);
}
