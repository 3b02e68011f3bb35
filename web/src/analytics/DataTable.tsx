// Figures as a table: a row for each bucket or group, which has its name in front.

import type { AnalyticsRow } from '../api/types';
import { type Column, FIGURES } from './words';

interface DataTableProps {
  caption: string;
  /** What the rows are named by. */
  heading: Column;
  rows: readonly AnalyticsRow[];
}

export function DataTable({ caption, heading, rows }: DataTableProps) {
  return (
    <div class="table" role="region" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="for-screen-readers">{caption}</caption>
        <thead>
          <tr>
            {[heading, ...FIGURES].map(({ name }) => <th key={name} scope="col">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.start} ${heading.text(row)}`}>
              <th scope="row"><bdi>{heading.text(row)}</bdi></th>
              {FIGURES.map(({ name, text }) => <td key={name}>{text(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
