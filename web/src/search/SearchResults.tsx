// What was found, session by session. Loaded when something is first searched for. An excerpt is
// what anybody said: it is shown as text, and only the server's own parts are marked.

import { addressOf } from '../address';
import type { SearchHit } from '../api/types';
import { openSession } from '../location';
import { sidebarPanel } from '../panels';
import type { SessionId } from '../protocol';
import { dayOf, timeOf } from '../sidebar/days';
import { isPlainClick } from '../sidebar/links';
import { removed } from '../sidebar/removal';
import { find } from '../sidebar/sessions';
import { titleOf } from '../sidebar/words';
import { strings } from '../strings';
import { bySession, findMore, found, searchIsBusy, searchTrouble } from './search';

export function SearchResults() {
  const { words, hits, cursor } = found.value ?? { words: '', hits: [], cursor: null };
  const groups = [...bySession(hits)].filter(([id]) => !removed.value.has(id));
  const isBusy = searchIsBusy.value;
  return (
    <section class="results" aria-label={strings.search.results} aria-busy={isBusy} tabIndex={0}>
      {searchTrouble.value !== null && <p class="note bad">{searchTrouble.value}</p>}
      {isBusy && hits.length === 0 && <p class="note">{strings.search.searching}</p>}
      {!isBusy && found.value !== null && groups.length === 0 && <p class="note">{strings.search.none(words)}</p>}
      {groups.map(([id, own]) => <Group key={id} id={id} hits={own} />)}
      {cursor !== null && (
        <button type="button" class="quiet more" onClick={findMore}>{strings.search.more}</button>
      )}
    </section>
  );
}

function Group({ id, hits }: { id: SessionId; hits: readonly SearchHit[] }) {
  const row = find(id);
  const title = hits[0]?.title ?? (row === undefined ? strings.sidebar.untitled : titleOf(row));
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {hits.map((hit) => <Hit key={hit.seq} hit={hit} />)}
      </ul>
    </section>
  );
}

function Hit({ hit }: { hit: SearchHit }) {
  const open = (event: MouseEvent) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    openSession(hit.session_id, hit.seq);
    sidebarPanel.leaveDrawer();
  };
  return (
    <li>
      <a href={addressOf({ view: 'session', session: hit.session_id, at: hit.seq })} onClick={open}>
        <span class="hit-facts">
          {strings.search.kinds[hit.type] ?? hit.type}{' · '}
          <time dateTime={hit.at}>{dayOf(new Date(hit.at), new Date())}, {timeOf(hit.at)}</time>
        </span>
        <span class="excerpt">
          {hit.excerpt.map(({ text, is_match }, index) => (is_match ? <mark key={index}>{text}</mark> : text))}
        </span>
      </a>
    </li>
  );
}
