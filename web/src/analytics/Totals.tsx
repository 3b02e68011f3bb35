// The four numbers of the whole range.

import type { AnalyticsRow } from '../api/types';
import { count, counted } from '../format';
import { strings } from '../strings';
import { cost } from './words';

interface TotalsProps {
  total: AnalyticsRow;
  /** Whether it is of one provider or model only. */
  ofGroup: boolean;
}

export function Totals({ total, ofGroup }: TotalsProps) {
  const words = strings.analytics;
  const failed = total.failed_answers > 0 ? words.failedAnswers(count(total.failed_answers)) : '';
  const unknown = total.cost_unknown > 0 ? words.costUnknown(counted(total.cost_unknown, strings.nouns.answer)) : '';
  return (
    <dl class="totals" aria-label={words.numbers.region}>
      <Total name={words.numbers.sessions} text={count(total.sessions)} note={ofGroup ? words.withAnswers : ''} />
      <Total name={words.numbers.answers} text={count(total.answers)} note={failed} />
      <Total
        name={words.numbers.tokens}
        text={count(total.input_tokens + total.output_tokens)}
        note={words.inAndOut(count(total.input_tokens), count(total.output_tokens))}
      />
      <Total name={words.numbers.cost} text={cost(total)} note={unknown} />
    </dl>
  );
}

function Total({ name, text, note }: { name: string; text: string; note: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure">{text}</dd>
      {note !== '' && <dd class="note">{note}</dd>}
    </div>
  );
}
