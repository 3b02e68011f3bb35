// What all sessions came to, over time. Loaded, with the plots' library, when it is first shown.

import { useEffect, useState } from 'preact/hooks';
import { SignInStrip } from '../access/SignInStrip';
import { startNewSession } from '../location';
import { preference } from '../preferences';
import { SidebarButton } from '../sidebar/SidebarButton';
import { strings } from '../strings';
import { Choice } from './Choice';
import { type Figures, type Grouping, type RangeName, RANGES } from './figures';
import { load } from './load';
import { Results } from './Results';

const words = strings.analytics;
const RANGE_NAMES = Object.keys(RANGES) as RangeName[];
const chosenRange = preference<RangeName>('analyticsRange', '30d', (value) => RANGE_NAMES.some((name) => name === value));
const chosenGrouping = preference<Grouping>('analyticsBy', 'model', (value) => value === 'model' || value === 'provider');

interface Answered {
  /** The request that this came of; another one may be under way. */
  request: string;
  figures: Figures | null;
  /** What they are broken down by. */
  by: Grouping;
  failure: string | null;
}

export function Analytics() {
  const range = chosenRange.value;
  const by = chosenGrouping.value;
  const [attempt, setAttempt] = useState(0);
  const request = `${range} ${by} ${attempt}`;
  // What was had last stays until something else comes.
  const [answered, setAnswered] = useState<Answered>({ request: '', figures: null, by, failure: null });
  const loading = answered.request !== request;
  useEffect(() => {
    const aborter = new AbortController();
    load(range, by, Date.now(), aborter.signal).then(
      (figures) => {
        if (!aborter.signal.aborted) setAnswered({ request, figures, by, failure: null });
      },
      (error: unknown) => {
        if (aborter.signal.aborted) return; // Something else is asked for.
        setAnswered({ request, figures: null, by, failure: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => aborter.abort();
  }, [request]);

  return (
    <main id="analytics" class="analytics" tabIndex={-1} aria-labelledby="analytics-title">
      <div class="bar">
        <SidebarButton />
        <h1 id="analytics-title">{words.title}</h1>
        <button type="button" class="quiet" onClick={() => startNewSession()}>{strings.startNew}</button>
      </div>
      <SignInStrip />
      <div class="figures" aria-busy={loading}>
        <div class="choices">
          <Choice
            label={words.range}
            options={RANGE_NAMES.map((name) => [name, words.ranges[name]] as const)}
            chosen={range}
            onChoose={(name) => (chosenRange.value = name)}
          />
          <Choice
            label={words.by}
            options={[['model', words.byModel], ['provider', words.byProvider]]}
            chosen={by}
            onChoose={(grouping) => (chosenGrouping.value = grouping)}
          />
          {loading && <span class="loading">{words.loading}</span>}
        </div>
        {answered.failure !== null && <Failure why={answered.failure} onAgain={() => setAttempt(attempt + 1)} />}
        {answered.figures !== null && <Results figures={answered.figures} by={answered.by} />}
      </div>
    </main>
  );
}

function Failure({ why, onAgain }: { why: string; onAgain(): void }) {
  return (
    <div class="failure">
      <p class="bad">{words.failed} {why}</p>
      <button type="button" onClick={onAgain}>{words.again}</button>
    </div>
  );
}
