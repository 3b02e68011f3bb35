// The end of a session: what was talked about and what it came to.

import { count, dollars, duration } from '../format';
import type { Metrics } from '../protocol';
import type { Closing } from '../state';
import { strings } from '../strings';
import { Prose } from './Prose';

export function ClosingCard({ closing }: { closing: Closing }) {
  return (
    <section class="closing" aria-label={strings.closing.title} data-seq={closing.seq}>
      <header>
        <h2>{strings.closing.title}</h2>
        <span>{strings.closing.reason[closing.reason]}</span>
      </header>
      <div class="summary">
        <Prose text={closing.summary ?? strings.closing.noSummary} growing={false} />
      </div>
      <dl>
        {measures(closing.metrics).map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function measures(metrics: Metrics): [label: string, value: string][] {
  const words = strings.closing;
  const failed = metrics.tool_errors > 0 ? `, ${words.failedTools(count(metrics.tool_errors))}` : '';
  const rows: [string, string | null][] = [
    [words.duration, duration(metrics.duration_ms)],
    [words.messages, count(metrics.user_messages)],
    [words.answers, count(metrics.ai_responses)],
    [words.tools, `${count(metrics.tool_calls)}${failed}`],
    [words.tokens, `${count(metrics.input_tokens)} / ${count(metrics.output_tokens)}`],
    [words.firstToken, metrics.mean_first_token_ms === null ? null : duration(metrics.mean_first_token_ms)],
    [words.cost, metrics.cost_usd === null ? null : dollars(metrics.cost_usd)],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}
