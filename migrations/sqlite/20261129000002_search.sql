-- Full-text search in what was said. The index has no copy of the texts (`content=''`), which stand
-- in `session_events`; it can forget a row without being told again what was in it, so whatever
-- deletes an event, a cascade too, cannot leave it wrong.
--
-- `rowid` is `session_events.id`. `owner` is whose the event is, in a form that is one word: "the
-- newest of hers" is answered by the index alone. Words are what PostgreSQL takes for words: of
-- letters and digits, in lower case, accents kept.
create virtual table if not exists search_entries using fts5(
    content, owner,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* N*'"
);

create trigger if not exists session_events_make_search_entry
after insert on session_events for each row
when new.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and new.content <> ''
begin
    insert into search_entries (rowid, content, owner)
    select new.id, substr(new.content, 1, 100000), coalesce('u' || hex(s.user_id), '')
    from sessions s where s.session_id = new.session_id;
end;

create trigger if not exists session_events_delete_search_entry
after delete on session_events for each row
when old.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and old.content <> ''
begin
    delete from search_entries where rowid = old.id;
end;

insert into search_entries (rowid, content, owner)
select e.id, substr(e.content, 1, 100000), coalesce('u' || hex(s.user_id), '')
from session_events e join sessions s using (session_id)
where e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and e.content <> ''
order by e.id;
