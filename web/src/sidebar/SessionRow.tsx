// A session in the list: a link to it, and the button to all that can be done with it.

import { useEffect, useRef } from 'preact/hooks';
import { addressOf } from '../address';
import type { StoredSession } from '../api/types';
import { show } from '../choose/open';
import { openSession } from '../location';
import { sidebarPanel } from '../panels';
import { strings } from '../strings';
import { Icon } from '../ui/icons';
import { timeOf } from './days';
import { isPlainClick } from './links';
import { focusWish } from './rows';
import { tagsOf, titleOf } from './words';

export function SessionRow({ session, shown }: { session: StoredSession; shown: boolean }) {
  const id = session.session_id;
  const link = useRef<HTMLAnchorElement>(null);
  const wished = focusWish.value === id;
  useEffect(() => {
    if (!wished) return;
    focusWish.value = null;
    link.current?.focus();
  }, [wished]);

  const open = (event: MouseEvent) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    openSession(id);
    sidebarPanel.leaveDrawer();
  };
  const tags = tagsOf(session);
  return (
    <li class="row" data-shown={shown}>
      <a
        ref={link}
        href={addressOf({ view: 'session', session: id, at: null })}
        aria-current={shown ? 'page' : undefined}
        onClick={open}
      >
        <span class="row-title" id={`title-${id}`}>{titleOf(session)}</span>
        <span class="row-facts">
          <time dateTime={session.start_time}>{timeOf(session.start_time)}</time>
          {session.is_active && <span class="row-state"><span class="dot" aria-hidden="true" />{strings.sidebar.active}</span>}
          {tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
        </span>
      </a>
      <button
        type="button"
        class="quiet icon-button"
        aria-label={strings.sidebar.options}
        aria-describedby={`title-${id}`}
        aria-haspopup="dialog"
        onClick={() => show({ kind: 'session', id })}
      >
        <Icon name="more" />
      </button>
    </li>
  );
}
