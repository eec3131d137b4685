-- When an action needs approval, and by whom.
CREATE TABLE approval_rules (
    id uuid NOT NULL CONSTRAINT pk_approval_rules PRIMARY KEY,
    name varchar(100) NOT NULL CONSTRAINT uq_approval_rules_name UNIQUE,
    kind varchar(80) NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    department_id uuid
        CONSTRAINT fk_approval_rules_department_id_departments REFERENCES departments ON DELETE CASCADE,
    threshold double precision,
    position integer NOT NULL DEFAULT 0,
    mode varchar(10) NOT NULL DEFAULT 'sequence',
    levels jsonb NOT NULL,
    expires_hours integer NOT NULL DEFAULT 72,
    escalation_hours integer,
    escalation jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_approval_rules_mode CHECK (mode IN ('sequence', 'together'))
);
CREATE INDEX ix_approval_rules_kind ON approval_rules (kind, position, id);
CREATE INDEX ix_approval_rules_department_id ON approval_rules (department_id);

CREATE TABLE approval_requests (
    id uuid NOT NULL CONSTRAINT pk_approval_requests PRIMARY KEY,
    kind varchar(80) NOT NULL,
    subject_type varchar(63) NOT NULL,
    subject_id varchar(100) NOT NULL,
    subject_label varchar(255) NOT NULL,
    subject_href varchar(500) NOT NULL DEFAULT '',
    facts jsonb NOT NULL DEFAULT '[]',
    payload jsonb NOT NULL,
    digest varchar(64) NOT NULL,
    amount double precision NOT NULL,
    department_id uuid
        CONSTRAINT fk_approval_requests_department_id_departments REFERENCES departments ON DELETE SET NULL,
    requester_id uuid CONSTRAINT fk_approval_requests_requester_id_users REFERENCES users ON DELETE SET NULL,
    requester_name varchar(255) NOT NULL,
    reason varchar(500) NOT NULL,
    rule jsonb NOT NULL,
    status varchar(10) NOT NULL DEFAULT 'pending',
    approvers varchar(60)[] NOT NULL,
    waits_for varchar(60)[] NOT NULL,
    open_levels integer[] NOT NULL,
    supersedes_id uuid
        CONSTRAINT fk_approval_requests_supersedes_id_approval_requests REFERENCES approval_requests ON DELETE SET NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    reminds_at timestamptz,
    escalates_at timestamptz,
    is_escalated boolean NOT NULL DEFAULT false,
    decided_at timestamptz,
    problem varchar(500) NOT NULL DEFAULT '',
    CONSTRAINT ck_approval_requests_status CHECK (status IN
        ('pending', 'approved', 'rejected', 'expired', 'cancelled', 'superseded', 'applied', 'failed'))
);
CREATE UNIQUE INDEX uq_approval_requests_pending ON approval_requests (requester_id, digest) WHERE status = 'pending';
CREATE INDEX ix_approval_requests_open ON approval_requests (expires_at) WHERE status = 'pending';
CREATE INDEX ix_approval_requests_requested_at ON approval_requests (requested_at, id);
CREATE INDEX ix_approval_requests_requester_id ON approval_requests (requester_id, requested_at);
CREATE INDEX ix_approval_requests_department_id ON approval_requests (department_id);
CREATE INDEX ix_approval_requests_supersedes_id ON approval_requests (supersedes_id);
CREATE INDEX ix_approval_requests_approvers ON approval_requests USING gin (approvers);

CREATE TABLE approval_decisions (
    id uuid NOT NULL CONSTRAINT pk_approval_decisions PRIMARY KEY,
    request_id uuid NOT NULL
        CONSTRAINT fk_approval_decisions_request_id_approval_requests REFERENCES approval_requests ON DELETE CASCADE,
    level integer NOT NULL,
    user_id uuid CONSTRAINT fk_approval_decisions_user_id_users REFERENCES users ON DELETE SET NULL,
    user_name varchar(255) NOT NULL,
    on_behalf_of_id uuid CONSTRAINT fk_approval_decisions_on_behalf_of_id_users REFERENCES users ON DELETE SET NULL,
    on_behalf_of_name varchar(255) NOT NULL DEFAULT '',
    decision varchar(10) NOT NULL,
    comment varchar(500) NOT NULL DEFAULT '',
    decided_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_approval_decisions_decision CHECK (decision IN ('approve', 'reject')),
    CONSTRAINT uq_approval_decisions_request_id_level_user_id UNIQUE (request_id, level, user_id)
);
CREATE INDEX ix_approval_decisions_user_id ON approval_decisions (user_id);
CREATE INDEX ix_approval_decisions_on_behalf_of_id ON approval_decisions (on_behalf_of_id);

CREATE TABLE approval_delegations (
    id uuid NOT NULL CONSTRAINT pk_approval_delegations PRIMARY KEY,
    from_user_id uuid NOT NULL
        CONSTRAINT fk_approval_delegations_from_user_id_users REFERENCES users ON DELETE CASCADE,
    to_user_id uuid NOT NULL CONSTRAINT fk_approval_delegations_to_user_id_users REFERENCES users ON DELETE CASCADE,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_approval_delegations_another CHECK (from_user_id <> to_user_id),
    CONSTRAINT ck_approval_delegations_period CHECK (ends_at > starts_at)
);
CREATE INDEX ix_approval_delegations_from_user_id ON approval_delegations (from_user_id);
CREATE INDEX ix_approval_delegations_to_user_id ON approval_delegations (to_user_id, ends_at);

-- Who sees a request follows from groups, roles and delegations: the room's service asks for them in each statement.
-- Decisions are only ever added.
GRANT SELECT, INSERT, UPDATE, DELETE ON approval_rules, approval_delegations TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT, INSERT, UPDATE ON approval_requests TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT, INSERT ON approval_decisions TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('approval_rules', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('approval_requests', '{id}', 'subject_label', NULL, '{digest,approvers,waits_for,open_levels,reminds_at}');
SELECT audit_table('approval_decisions', '{id}', 'user_name');
SELECT audit_table('approval_delegations', '{id}', NULL, NULL, '{created_at}');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'approvals:read'), ('admin', 'approvals:write'), ('manager', 'approvals:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
