// The figures of a range, once they are there: numbers, plots or their table, and the breakdown. One
// provider or model can be looked at alone.

import { useState } from 'preact/hooks';
import type { AnalyticsRow } from '../api/types';
import { strings } from '../strings';
import { DataTable } from './DataTable';
import { type Figures, type Grouping, isEmpty } from './figures';
import { Multiple } from './Multiple';
import { PLOTS } from './multiples';
import { Totals } from './Totals';
import { groupName, time } from './words';

interface ResultsProps {
  figures: Figures;
  by: Grouping;
}

export function Results({ figures, by }: ResultsProps) {
  const words = strings.analytics;
  const [asTable, setAsTable] = useState(false);
  const [chosen, setChosen] = useState('');
  if (isEmpty(figures)) return <p class="empty">{words.empty}</p>;
  // The group that was chosen may have answered nothing in another range.
  const group = figures.groups.find(({ key }) => key === chosen);
  const { total, rows } = group ?? figures;
  const { bucket } = figures;
  const timeColumn = { name: words.columns.time, text: (row: AnalyticsRow) => time(Date.parse(row.start), bucket) };
  const groupColumn = { name: by === 'model' ? words.columns.model : words.columns.provider, text: groupName };
  return (
    <>
      <Totals total={total} ofGroup={group !== undefined} />
      <section>
        <div class="section-head">
          <h2>{words.plots}</h2>
          <label>
            <span>{words.of}</span>
            <select value={group?.key ?? ''} onChange={(event) => setChosen(event.currentTarget.value)}>
              <option value="">{words.everything}</option>
              {figures.groups.map(({ key, total: of }) => <option key={key} value={key}>{groupName(of)}</option>)}
            </select>
          </label>
          <button type="button" onClick={() => setAsTable(!asTable)}>{asTable ? words.asPlots : words.asTable}</button>
        </div>
        {asTable ? (
          <DataTable caption={words.table} heading={timeColumn} rows={rows} />
        ) : (
          <div class="multiples">
            {PLOTS.map((plot) => <Multiple key={plot.title} plot={plot} rows={rows} bucket={bucket} />)}
          </div>
        )}
        <p class="note">{words.zone}</p>
      </section>
      <section>
        <div class="section-head"><h2>{words.breakdown}</h2></div>
        <DataTable caption={words.breakdown} heading={groupColumn} rows={figures.groups.map(({ total: of }) => of)} />
      </section>
    </>
  );
}
