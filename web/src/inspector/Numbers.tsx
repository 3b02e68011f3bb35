// The speed of the newest answer, at the top of the inspector.

import { count, duration } from '../format';
import { strings } from '../strings';
import { measure } from './measure';
import type { Row } from './record';

const { numbers } = strings.inspector;

export function Numbers({ rows }: { rows: readonly Row[] }) {
  const measured = measure(rows);
  const { firstTokenMs = null, tokensPerSecond = null, tokens = null, totalMs = null } = measured ?? {};
  return (
    <dl class="numbers" aria-label={numbers.region}>
      <Number name={numbers.firstToken} text={firstTokenMs === null ? null : duration(firstTokenMs)} />
      <Number name={numbers.perSecond} text={tokensPerSecond === null ? null : tokensPerSecond.toFixed(1)} />
      <Number name={numbers.tokens} text={tokens === null ? null : count(tokens)} />
      <Number
        name={numbers.total}
        text={measured?.running === true ? numbers.running : totalMs === null ? null : duration(totalMs)}
      />
    </dl>
  );
}

function Number({ name, text }: { name: string; text: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text ?? '–'}</dd>
    </div>
  );
}
