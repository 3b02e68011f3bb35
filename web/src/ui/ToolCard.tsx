// One tool call: folded to a line with its name, arguments, state and time; unfolded it shows what
// went in and what came out. A failed one is open from the start.

import { announce } from '../announce';
import { duration, pretty } from '../format';
import type { ToolState } from '../state';
import { strings } from '../strings';
import { useSession } from './context';

export function ToolCard({ tool, running }: { tool: ToolState; running: boolean }) {
  const { outcome } = tool;
  const waits = running && tool.needsApproval && outcome === null;
  return (
    <div class="tool" data-tool={tool.name} data-state={stateOf(tool)}>
      <details open={outcome?.ok === false}>
        <summary>
          <b>{tool.name}</b>
          <span class="arguments">{JSON.stringify(tool.arguments)}</span>
          <span class="state">{stateWord(tool, running)}</span>
          {running && outcome === null && tool.progress !== null && <span class="time">{tool.progress}</span>}
          {outcome !== null && <span class="time">{duration(outcome.durationMs)}</span>}
        </summary>
        <dl>
          <Value label={strings.tool.arguments} text={pretty(tool.arguments)} />
          {outcome?.ok && <Value label={strings.tool.result} text={pretty(outcome.content)} />}
          {outcome?.error && (
            <Value label={strings.tool.error} text={`${outcome.error.code}: ${outcome.error.message}`} />
          )}
        </dl>
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

function Value({ label, text }: { label: string; text: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd><pre tabIndex={0} role="region" aria-label={label}>{text}</pre></dd>
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
