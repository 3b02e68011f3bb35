// All that can be done with a stored session: title, tags, downloads, deleting. Loaded when it is
// first asked for.

import { useEffect, useState } from 'preact/hooks';
import { announce } from '../announce';
import { api, ApiError } from '../api';
import type { StoredSession } from '../api/types';
import type { SessionId } from '../protocol';
import { strings } from '../strings';
import { Dialog } from '../ui/Dialog';
import { Icon } from '../ui/icons';
import { Downloads } from './Downloads';
import { remove } from './removal';
import { focusWish, neighbourOf } from './rows';
import { find, takeOver } from './sessions';
import { ownTitle, tagsOf, titleOf } from './words';

const LONGEST_TITLE = 200;
const LONGEST_TAG = 40;

export function SessionMenu({ id, onClose }: { id: SessionId; onClose(): void }) {
  const session = find(id);
  const isThere = session !== undefined;
  // Deleted elsewhere while this was open: there is nothing left to do with it.
  useEffect(() => {
    if (!isThere) onClose();
  }, [isThere]);
  if (session === undefined) return null;
  const takeAway = () => {
    focusWish.value = neighbourOf(id) ?? '';
    remove(session);
    onClose();
  };
  return (
    <Dialog title={strings.sidebar.menu} onClose={onClose}>
      <Title session={session} />
      <Tags session={session} />
      <Downloads id={id} />
      <section class="field last">
        <p id="delete-hint">{strings.sidebar.deleteHint}</p>
        <button type="button" class="danger" aria-describedby="delete-hint" onClick={takeAway}>
          <Icon name="trash" />
          {strings.sidebar.delete}
        </button>
      </section>
    </Dialog>
  );
}

function Title({ session }: { session: StoredSession }) {
  const [title, setTitle] = useState(ownTitle(session) ?? '');
  const [trouble, change] = useChange(session.session_id);
  const save = (event: Event) => {
    event.preventDefault();
    void change({ title: title.trim() || null }, strings.sidebar.saved);
  };
  return (
    <form class="field" onSubmit={save}>
      <label for="session-title">{strings.sidebar.title}</label>
      <div class="entry">
        <input
          id="session-title"
          type="text"
          autoComplete="off"
          maxLength={LONGEST_TITLE}
          placeholder={titleOf({ ...session, metadata: {} })}
          value={title}
          onInput={(event) => setTitle(event.currentTarget.value)}
        />
        <button type="submit">{strings.sidebar.save}</button>
      </div>
      {trouble !== null && <p class="note bad">{trouble}</p>}
    </form>
  );
}

function Tags({ session }: { session: StoredSession }) {
  const [tag, setTag] = useState('');
  const [trouble, change] = useChange(session.session_id);
  const tags = tagsOf(session);
  const put = (next: readonly string[]) => change({ tags: next.length === 0 ? null : next }, strings.sidebar.saved);
  const add = async (event: Event) => {
    event.preventDefault();
    if (tag.trim() !== '' && (await put([...new Set([...tags, tag.trim()])]))) setTag('');
  };
  return (
    <form class="field" onSubmit={(event) => void add(event)}>
      <label for="session-tag">{strings.sidebar.tagsOf}</label>
      {tags.length > 0 && (
        <ul class="chips">
          {tags.map((own) => (
            <li key={own} class="chip">
              <span>{own}</span>
              <button
                type="button"
                class="quiet"
                aria-label={strings.sidebar.removeTag(own)}
                onClick={(event) => {
                  // The button is about to go, and would take the focus with it.
                  event.currentTarget.form?.querySelector('input')?.focus();
                  void put(tags.filter((other) => other !== own));
                }}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="entry">
        <input
          id="session-tag"
          type="text"
          autoComplete="off"
          maxLength={LONGEST_TAG}
          placeholder={strings.sidebar.addTag}
          value={tag}
          onInput={(event) => setTag(event.currentTarget.value)}
        />
        <button type="submit">{strings.sidebar.add}</button>
      </div>
      {trouble !== null && <p class="note bad">{trouble}</p>}
    </form>
  );
}

/** Why the last change failed, and what makes one: it answers whether it went well. */
function useChange(id: SessionId) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const change = async (metadata: Record<string, unknown>, done: string): Promise<boolean> => {
    try {
      takeOver(await api.change(id, metadata));
      setTrouble(null);
      announce(done);
      return true;
    } catch (error) {
      const why = strings.sidebar.notChanged(error instanceof ApiError ? error.message : String(error));
      setTrouble(why);
      announce(why);
      return false;
    }
  };
  return [trouble, change] as const;
}
