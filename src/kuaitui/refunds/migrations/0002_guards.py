"""Which state may follow which, who may decide what, and what is never rewritten."""

from django.db import migrations

# As of this migration; tests hold the table to kuaitui.refunds.states.TRANSITIONS.
TRANSITIONS = [
    ("draft", "submitted"),
    ("draft", "expired"),
    ("submitted", "checking"),
    ("submitted", "withdrawn"),
    ("submitted", "rejected"),
    ("checking", "in_review"),
    ("checking", "approved"),
    ("in_review", "more_information"),
    ("in_review", "awaiting_second_approval"),
    ("in_review", "approved"),
    ("in_review", "withdrawn"),
    ("in_review", "rejected"),
    ("more_information", "in_review"),
    ("more_information", "withdrawn"),
    ("more_information", "rejected"),
    ("more_information", "expired"),
    ("awaiting_second_approval", "in_review"),
    ("awaiting_second_approval", "approved"),
    ("awaiting_second_approval", "destination_repaired"),
    ("awaiting_second_approval", "withdrawn"),
    ("awaiting_second_approval", "rejected"),
    ("approved", "in_review"),
    ("approved", "paying"),
    ("approved", "withdrawn"),
    ("approved", "rejected"),
    ("paying", "paid"),
    ("paying", "returned"),
    ("paying", "withdrawn"),
    ("paid", "returned"),
    ("returned", "destination_repaired"),
    ("destination_repaired", "awaiting_second_approval"),
    ("destination_repaired", "returned"),
    ("rejected", "appealed"),
    ("appealed", "in_review"),
    ("appealed", "withdrawn"),
    ("appealed", "rejected"),
]

LEGAL_TRANSITIONS = """
CREATE TABLE refunds_transition (
    from_state varchar(30) NOT NULL,
    to_state varchar(30) NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
COMMENT ON TABLE refunds_transition IS 'The legal steps of an application; see states.py';
INSERT INTO refunds_transition (from_state, to_state) VALUES
""" + ",\n".join(f"('{source}', '{target}')" for source, target in TRANSITIONS)

NOTHING_IS_REWRITTEN = """
CREATE FUNCTION refunds_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER the_timeline_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds_event
    FOR EACH STATEMENT EXECUTE FUNCTION refunds_refuse_change();
CREATE TRIGGER snapshots_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds_snapshot
    FOR EACH STATEMENT EXECUTE FUNCTION refunds_refuse_change();
CREATE TRIGGER decisions_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds_decision
    FOR EACH STATEMENT EXECUTE FUNCTION refunds_refuse_change();
CREATE TRIGGER policies_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds_policy_version
    FOR EACH STATEMENT EXECUTE FUNCTION refunds_refuse_change();
CREATE TRIGGER applications_never_leave BEFORE DELETE OR TRUNCATE ON refunds_application
    FOR EACH STATEMENT EXECUTE FUNCTION refunds_refuse_change();
CREATE TRIGGER transitions_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds_transition
    FOR EACH STATEMENT EXECUTE FUNCTION refunds_refuse_change();
"""

APPLICATIONS_TAKE_LEGAL_STEPS = """
CREATE FUNCTION refunds_check_application() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'an application begins as a draft'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'application_begins_as_draft';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'every change of an application makes the next version'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'every_change_is_a_version';
    END IF;
    IF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT 1 FROM refunds_transition WHERE from_state = OLD.state AND to_state = NEW.state
    ) THEN
        RAISE EXCEPTION 'an application cannot go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'application_takes_legal_steps';
    END IF;
    IF (OLD.id, OLD.public_id, OLD.shop_key, OLD.account_id, OLD.currency, OLD.created_by, OLD.created_at)
        IS DISTINCT FROM
        (NEW.id, NEW.public_id, NEW.shop_key, NEW.account_id, NEW.currency, NEW.created_by, NEW.created_at)
    THEN
        RAISE EXCEPTION 'an application stays with its shop and deposit'
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- What was asked, under which policy, stays as it was asked; the amount can only shrink.
    IF OLD.state <> 'draft' AND (
        (OLD.choice, OLD.kind, OLD.requested_minor, OLD.reason, OLD.note, OLD.request_key, OLD.submitted_at,
            OLD.policy_id, OLD.auto_approval_limit_minor, OLD.second_approval_from_minor)
        IS DISTINCT FROM
        (NEW.choice, NEW.kind, NEW.requested_minor, NEW.reason, NEW.note, NEW.request_key, NEW.submitted_at,
            NEW.policy_id, NEW.auto_approval_limit_minor, NEW.second_approval_from_minor)
        OR NEW.amount_minor > OLD.amount_minor
        OR OLD.second_approval_forced AND NOT NEW.second_approval_forced
        OR NEW.repairs < OLD.repairs
    ) THEN
        RAISE EXCEPTION 'what was submitted is not rewritten' USING ERRCODE = 'restrict_violation';
    END IF;
    -- An approval binds amount, destination and route: none of them changes under it.
    IF OLD.approval_hash <> '' AND NEW.approval_hash = OLD.approval_hash AND (
        (OLD.amount_minor, OLD.destination_id, OLD.route_plan, OLD.revision)
        IS DISTINCT FROM (NEW.amount_minor, NEW.destination_id, NEW.route_plan, NEW.revision)
    ) THEN
        RAISE EXCEPTION 'an approval binds what it approved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_binds_what_it_approved';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER applications_take_legal_steps BEFORE INSERT OR UPDATE ON refunds_application
    FOR EACH ROW EXECUTE FUNCTION refunds_check_application();

-- Money moves on an approval that is enough for it: the rule's, one person's, or two people's.
CREATE FUNCTION refunds_check_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needed int := CASE WHEN NEW.amount_minor >= NEW.second_approval_from_minor
        OR NEW.second_approval_forced OR NEW.repairs > 0 THEN 2 ELSE 1 END;
    approvers int;
    by_rule boolean;
BEGIN
    SELECT count(DISTINCT actor_id) FILTER (WHERE kind IN ('approve', 'confirm')),
            COALESCE(bool_or(kind = 'approve_by_rule'), false)
        INTO approvers, by_rule
        FROM refunds_decision
        WHERE application_id = NEW.id AND approval_hash = NEW.approval_hash;
    IF by_rule AND NEW.amount_minor <= NEW.auto_approval_limit_minor
        AND NEW.destination_id = '' AND NEW.repairs = 0 AND NOT NEW.second_approval_forced
    THEN
        RETURN NEW;
    END IF;
    IF approvers < needed THEN
        RAISE EXCEPTION 'this approval is not enough: % of % people', approvers, needed
            USING ERRCODE = 'check_violation', CONSTRAINT = 'money_moves_on_a_full_approval';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER money_moves_on_a_full_approval BEFORE UPDATE ON refunds_application FOR EACH ROW
    WHEN (NEW.state IN ('approved', 'paying') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION refunds_check_approval();

-- Judged when the transaction ends: the line of the timeline is written after the change.
CREATE FUNCTION refunds_require_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM refunds_event
        WHERE application_id = NEW.id AND number = NEW.version AND to_state = NEW.state
    ) THEN
        RAISE EXCEPTION 'version % of an application has no line in its timeline', NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'every_change_is_in_the_timeline';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER every_change_is_in_the_timeline AFTER INSERT OR UPDATE ON refunds_application
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refunds_require_event();
"""

DECISIONS_ARE_MADE_BY_THE_RIGHT_PEOPLE = """
CREATE FUNCTION refunds_check_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    application refunds_application%ROWTYPE;
BEGIN
    SELECT * INTO application FROM refunds_application WHERE id = NEW.application_id;
    IF NEW.kind IN ('approve', 'confirm', 'approve_by_rule')
        AND NEW.actor_id IN (application.created_by, application.destination_set_by)
    THEN
        RAISE EXCEPTION 'whoever made the application or chose its destination cannot approve it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approver_is_not_involved';
    END IF;
    IF NEW.kind = 'confirm' AND NOT EXISTS (
        SELECT 1 FROM refunds_decision
        WHERE application_id = NEW.application_id AND kind = 'approve'
            AND approval_hash = NEW.approval_hash AND actor_id <> NEW.actor_id
    ) THEN
        RAISE EXCEPTION 'a second approval follows a first one of the same, by somebody else'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'checker_is_not_the_maker';
    END IF;
    IF NEW.kind IN ('grant_appeal', 'dismiss_appeal') AND EXISTS (
        SELECT 1 FROM refunds_decision
        WHERE application_id = NEW.application_id AND kind = 'reject' AND actor_id = NEW.actor_id
    ) THEN
        RAISE EXCEPTION 'an appeal is decided by somebody else than whoever rejected'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_is_decided_by_somebody_else';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decisions_are_made_by_the_right_people BEFORE INSERT ON refunds_decision
    FOR EACH ROW EXECUTE FUNCTION refunds_check_decision();
"""

UNDO = """
DROP TRIGGER decisions_are_made_by_the_right_people ON refunds_decision;
DROP TRIGGER every_change_is_in_the_timeline ON refunds_application;
DROP TRIGGER money_moves_on_a_full_approval ON refunds_application;
DROP TRIGGER applications_take_legal_steps ON refunds_application;
DROP FUNCTION refunds_check_decision, refunds_require_event, refunds_check_approval, refunds_check_application;
DROP FUNCTION refunds_refuse_change CASCADE;
DROP TABLE refunds_transition;
"""


class Migration(migrations.Migration):
    dependencies = [("refunds", "0001_applications")]

    operations = [
        migrations.RunSQL(
            [
                LEGAL_TRANSITIONS,
                NOTHING_IS_REWRITTEN,
                APPLICATIONS_TAKE_LEGAL_STEPS,
                DECISIONS_ARE_MADE_BY_THE_RIGHT_PEOPLE,
            ],
            UNDO,
        )
    ]
