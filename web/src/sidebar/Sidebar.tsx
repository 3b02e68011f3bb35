// The list of sessions, in the column at the left, or the drawer that `Panel` makes of it on a
// narrow screen. While something is searched for, what was found stands in its place.

import { useEffect } from 'preact/hooks';
import { addressOf } from '../address';
import { show } from '../choose/open';
import { navigate, route, startNewSession } from '../location';
import { sidebarPanel } from '../panels';
import { SearchBox } from '../search/SearchBox';
import { isSearching } from '../search/search';
import { strings } from '../strings';
import { Icon } from '../ui/icons';
import { lazily } from '../ui/lazy';
import { Panel } from '../ui/Panel';
import { byDay } from './days';
import { isPlainClick } from './links';
import { removalTrouble } from './removal';
import { allTags, chosenTag, listedSessions, toggleTag } from './rows';
import { SessionRow } from './SessionRow';
import { listIsKnown, listTrouble, loadMore, refreshSessions, refreshSoon, thereIsMore } from './sessions';
import { Undos } from './UndoBar';

const SearchResults = lazily(async () => (await import('../search/SearchResults')).SearchResults);

export function Sidebar() {
  return (
    <Panel state={sidebarPanel} name="sidebar" label={strings.sidebar.region}>
      <Content />
    </Panel>
  );
}

function Content() {
  useEffect(() => {
    void refreshSessions();
    addEventListener('focus', refreshSoon);
    return () => removeEventListener('focus', refreshSoon);
  }, []);
  const startNew = () => {
    startNewSession();
    sidebarPanel.leaveDrawer();
  };
  return (
    <div class="finder">
      <button type="button" class="start-chat" onClick={startNew}>
        <Icon name="plus" />
        {strings.sidebar.startNew}
      </button>
      <SearchBox />
      {isSearching.value ? <SearchResults /> : <Sessions />}
      {!sidebarPanel.wide.value && <Undos />}
      <Ways />
    </div>
  );
}

function Sessions() {
  const to = route.value;
  const shown = to.view === 'session' ? to.session : null;
  return (
    <nav class="sessions" aria-label={strings.sidebar.list} tabIndex={0}>
      <Tags />
      {removalTrouble.value !== null && <p class="note bad">{removalTrouble.value}</p>}
      {listTrouble.value !== null && <Trouble why={listTrouble.value} />}
      {byDay(listedSessions.value, new Date()).map(({ label, sessions }) => (
        <section key={label}>
          <h2>{label}</h2>
          <ul>
            {sessions.map((session) => (
              <SessionRow key={session.session_id} session={session} shown={session.session_id === shown} />
            ))}
          </ul>
        </section>
      ))}
      <Nothing />
      {thereIsMore.value && (
        <button type="button" class="quiet more" onClick={() => void loadMore()}>{strings.sidebar.more}</button>
      )}
    </nav>
  );
}

function Tags() {
  if (allTags.value.length === 0) return null;
  return (
    <div class="chips" role="group" aria-label={strings.sidebar.tags}>
      {allTags.value.map((tag) => (
        <button key={tag} type="button" class="chip" aria-pressed={chosenTag.value === tag} onClick={() => toggleTag(tag)}>
          {tag}
        </button>
      ))}
    </div>
  );
}

function Trouble({ why }: { why: string }) {
  return (
    <div class="note bad">
      <p>{strings.sidebar.failed(why)}</p>
      <button type="button" onClick={() => void refreshSessions()}>{strings.sidebar.retry}</button>
    </div>
  );
}

function Nothing() {
  if (listedSessions.value.length > 0 || !listIsKnown.value) return null;
  return <p class="note">{chosenTag.value === null ? strings.sidebar.none : strings.sidebar.noneWithTag}</p>;
}

/** The ways to everything that is no session. */
function Ways() {
  const open = (event: MouseEvent) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    navigate({ view: 'analytics' });
    sidebarPanel.leaveDrawer();
  };
  return (
    <footer class="ways">
      <a
        href={addressOf({ view: 'analytics' })}
        aria-current={route.value.view === 'analytics' ? 'page' : undefined}
        onClick={open}
      >
        <Icon name="chart" />
        {strings.sidebar.analytics}
      </a>
      <button type="button" class="quiet" aria-haspopup="dialog" onClick={() => show({ kind: 'settings' })}>
        <Icon name="settings" />
        {strings.sidebar.settings}
      </button>
    </footer>
  );
}
