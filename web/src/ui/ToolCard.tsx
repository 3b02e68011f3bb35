// One tool call: folded to a line with its name, arguments, state and time; unfolded it shows what
// went in and what came out. A failed one is open from the start.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { announce } from '../announce';
import { duration, pretty } from '../format';
import type { ToolState } from '../state';
import { strings } from '../strings';
import { useSession } from './context';
import { LongText } from './LongText';

/** Characters of the arguments that may stand in the folded line: more than there is room for. */
const MOST_FOLDED = 300;

export function ToolCard({ tool, running }: { tool: ToolState; running: boolean }) {
  const { outcome } = tool;
  const failed = outcome?.ok === false;
  const [open, setOpen] = useState(failed);
  useEffect(() => {
    if (failed) setOpen(true);
  }, [failed]);
  const folded = useMemo(() => JSON.stringify(tool.arguments).slice(0, MOST_FOLDED), [tool.arguments]);
  const waits = running && tool.needsApproval && outcome === null;
  return (
    <div class="tool" data-tool={tool.name} data-state={stateOf(tool)}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <b>{tool.name}</b>
          <span class="arguments">{folded}</span>
          <span class="state">{stateWord(tool, running)}</span>
          {running && outcome === null && tool.progress !== null && <span class="time">{tool.progress}</span>}
          {outcome !== null && <span class="time">{duration(outcome.durationMs)}</span>}
        </summary>
        {open && (
          <dl>
            <Value label={strings.tool.arguments} value={tool.arguments} />
            {outcome?.ok && <Value label={strings.tool.result} value={outcome.content} />}
            {outcome?.error && (
              <Shown label={strings.tool.error} text={`${outcome.error.code}: ${outcome.error.message}`} />
            )}
          </dl>
        )}
      </details>
      {waits && <Approval tool={tool} />}
    </div>
  );
}

function stateOf({ outcome }: ToolState): 'running' | 'done' | 'failed' {
  if (outcome === null) return 'running';
  return outcome.ok ? 'done' : 'failed';
}

function stateWord(tool: ToolState, running: boolean): string {
  const state = stateOf(tool);
  if (state !== 'running') return strings.tool[state];
  if (!running) return strings.tool.unfinished;
  return tool.needsApproval ? strings.tool.approval : strings.tool.running;
}

/** Laid out once, and not each time that the card is drawn: it may be long. */
function Value({ label, value }: { label: string; value: unknown }) {
  return <Shown label={label} text={useMemo(() => pretty(value), [value])} />;
}

function Shown({ label, text }: { label: string; text: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd><LongText label={label} text={text} /></dd>
    </>
  );
}

function Approval({ tool }: { tool: ToolState }) {
  const session = useSession();
  const decide = (approve: boolean) => {
    if (!session.decide(tool.callId, approve)) announce(strings.actions.offline);
    document.getElementById('message')?.focus(); // The buttons are about to go.
  };
  // What is decided means something only now; the strip says why it cannot be sent.
  const offline = session.connection.value.phase !== 'open';
  return (
    <div class="approval">
      <button type="button" class="primary" disabled={offline} onClick={() => decide(true)}>
        {strings.tool.approve}
      </button>
      <button type="button" class="quiet" disabled={offline} onClick={() => decide(false)}>
        {strings.tool.refuse}
      </button>
    </div>
  );
}
