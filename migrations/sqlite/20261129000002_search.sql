-- Full-text search in what was said. The index has no copy of the texts (`content = ''`), which stand in
-- `session_events`. So it has to be told again what was in a row that goes; then it is found no more. Its words
-- stay in the index until that is merged, which each deletion goes on with. (`secure-delete` would take them
-- out at once, and a millisecond for each event, in which nothing is written.)
--
-- `rowid` is `session_events.id`. `owner` is whose the event is, in a form that is one word: "the
-- newest of hers" is answered by the index alone. Words are what PostgreSQL takes for words: of
-- letters and digits, in lower case, accents kept. The sizes of texts are for a rank that nobody uses.
create virtual table if not exists search_entries using fts5(
    content, owner,
    content = '', columnsize = 0,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* N*'"
);

create trigger if not exists session_events_make_search_entry
after insert on session_events for each row
when new.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and new.content <> ''
begin
    insert into search_entries (rowid, content, owner)
    select new.id, substr(new.content, 1, 100000), case when s.user_id is null then '' else 'u' || hex(s.user_id) end
    from sessions s where s.session_id = new.session_id;
end;

-- Neither the text of an event nor the user of a session is ever changed.
create trigger if not exists session_events_delete_search_entry
after delete on session_events for each row
when old.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and old.content <> ''
begin
    insert into search_entries (search_entries, rowid, content, owner)
    select 'delete', old.id, substr(old.content, 1, 100000), case when s.user_id is null then '' else 'u' || hex(s.user_id) end
    from sessions s where s.session_id = old.session_id;
end;

-- Before a cascade would delete them: then it is not known any more whose they were.
create trigger if not exists sessions_delete_events
before delete on sessions for each row
begin
    delete from session_events where session_id = old.session_id;
end;

insert into search_entries (rowid, content, owner)
select e.id, substr(e.content, 1, 100000), case when s.user_id is null then '' else 'u' || hex(s.user_id) end
from session_events e join sessions s using (session_id)
where e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and e.content <> ''
order by e.id;
