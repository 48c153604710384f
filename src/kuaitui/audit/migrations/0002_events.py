"""Events in a chain: numbered and hashed by the database, never rewritten."""

from django.db import migrations

TABLE = """
CREATE TABLE audit_event (
    stream_id varchar(80) NOT NULL REFERENCES audit_stream (name),
    event_no bigint NOT NULL,
    at timestamptz NOT NULL,
    content text NOT NULL,
    action text NOT NULL GENERATED ALWAYS AS (content::jsonb ->> 'action') STORED,
    actor_id text NOT NULL GENERATED ALWAYS AS (content::jsonb -> 'actor' ->> 'id') STORED,
    object_id text NOT NULL GENERATED ALWAYS AS (content::jsonb ->> 'object') STORED,
    hash bytea NOT NULL,
    PRIMARY KEY (stream_id, event_no)
);
CREATE INDEX audit_event_of_an_object ON audit_event (object_id, at);
CREATE INDEX audit_event_of_an_actor ON audit_event (actor_id, at);

-- The content of an event and everything before it in its stream are bound by this hash.
CREATE FUNCTION audit_hash(previous bytea, event_no bigint, content text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT sha256(previous || int8send(event_no) || convert_to(content, 'UTF8')) $$;

CREATE FUNCTION audit_chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    previous bytea;
BEGIN
    INSERT INTO audit_stream (name, events_count, head_hash) VALUES (NEW.stream_id, 0, '')
        ON CONFLICT DO NOTHING;
    -- Events of one stream wait for each other here; other streams do not.
    SELECT events_count + 1, head_hash INTO NEW.event_no, previous
        FROM audit_stream WHERE name = NEW.stream_id FOR NO KEY UPDATE;
    NEW.hash := audit_hash(previous, NEW.event_no, NEW.content);
    UPDATE audit_stream SET events_count = NEW.event_no, head_hash = NEW.hash WHERE name = NEW.stream_id;
    RETURN NEW;
END $$;
CREATE TRIGGER events_are_chained BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_chain_event();

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER streams_never_leave BEFORE DELETE OR TRUNCATE ON audit_stream
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER only_events_move_the_head BEFORE UPDATE ON audit_stream
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION audit_refuse_change();
"""

UNDO = """
DROP TABLE audit_event;
DROP TRIGGER only_events_move_the_head ON audit_stream;
DROP TRIGGER streams_never_leave ON audit_stream;
DROP FUNCTION audit_refuse_change, audit_chain_event, audit_hash;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_streams")]

    operations = [migrations.RunSQL(TABLE, UNDO)]
