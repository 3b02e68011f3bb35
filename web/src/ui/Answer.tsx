// One answer of the model: its text and tool calls in the order in which they came, how it ended,
// and what it took.

import { useMemo } from 'preact/hooks';
import { counted, dollars, duration } from '../format';
import { explain } from '../limits';
import { Ribbon } from '../ribbon/Ribbon';
import type { Answer, Part } from '../state';
import { strings } from '../strings';
import { AnswerActions } from './Actions';
import { Prose } from './Prose';
import { ToolCard } from './ToolCard';

export function AnswerView({ answer }: { answer: Answer }) {
  if (!answer.superseded) return <AnswerBody answer={answer} />;
  return (
    <details class="earlier">
      <summary>{strings.earlier}</summary>
      <AnswerBody answer={answer} />
    </details>
  );
}

function AnswerBody({ answer }: { answer: Answer }) {
  const running = answer.finish === null;
  return (
    <article class="answer" aria-busy={running} aria-label={strings.model} data-seq={answer.stored?.seq}>
      {answer.reasoning !== '' && (
        <details class="thinking">
          <summary>{strings.thinking}</summary>
          <p>{answer.reasoning}</p>
        </details>
      )}
      {answer.parts.map((part, index) => (
        <PartView key={index} part={part} running={running} last={index === answer.parts.length - 1} />
      ))}
      {running && answer.parts.at(-1)?.kind !== 'text' && (
        <Waiting />
      )}
      <footer>
        <Ribbon answer={answer} />
        <Ending answer={answer} />
      </footer>
    </article>
  );
}

/** Stands where the next words will. */
export function Waiting() {
  return <p class="waiting"><span class="for-screen-readers">{strings.waiting}</span></p>;
}

/** A part that did not change is not drawn again while another one grows. */
function PartView({ part, running, last }: { part: Part; running: boolean; last: boolean }) {
  return useMemo(() => {
    switch (part.kind) {
      case 'text':
        return <Prose text={part.text} growing={running && last} />;
      case 'tool':
        return <ToolCard tool={part.tool} running={running} />;
      case 'unread':
        return null; // It is shown with the part of the log in which it stands.
    }
  }, [part, running, last]);
}

function Ending({ answer }: { answer: Answer }) {
  if (answer.finish === null) return null;
  const note = strings.finish[answer.finish];
  return (
    <>
      {note !== '' && <p class={answer.finish === 'cancelled' ? 'note' : 'note bad'}>{note}</p>}
      {answer.error !== null && <p class="note bad">{explain(answer.error)}</p>}
      <div class="facts">
        <Measures answer={answer} />
        <AnswerActions answer={answer} />
      </div>
    </>
  );
}

function Measures({ answer }: { answer: Answer }) {
  if (answer.stored === null) return <span />;
  const { timing, usage, cost_usd } = answer.stored;
  const facts = [duration(timing.total_ms)];
  if (timing.first_token_ms !== null) facts.push(strings.firstWord(duration(timing.first_token_ms)));
  if (usage.output_tokens !== null) facts.push(counted(usage.output_tokens, strings.nouns.token));
  if (cost_usd !== null && cost_usd > 0) facts.push(dollars(cost_usd));
  return <span class="measures">{facts.join(' · ')}</span>;
}
