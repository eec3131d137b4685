-- The built-in roles, with their permissions; a test compares them with the list in the code.
INSERT INTO roles (id, name, description, is_builtin) VALUES
    ('00000000-0000-7000-8000-000000000001', 'admin', 'May do everything.', true),
    ('00000000-0000-7000-8000-000000000002', 'manager',
     'Runs a department: its devices, its people and what was done there.', true),
    ('00000000-0000-7000-8000-000000000003', 'operator',
     'Works on devices and enrols new ones, as a technician does.', true),
    ('00000000-0000-7000-8000-000000000004', 'analyst', 'Reads devices, measurements and the audit log.', true),
    ('00000000-0000-7000-8000-000000000005', 'viewer', 'Looks at devices and measurements.', true),
    ('00000000-0000-7000-8000-000000000006', 'data_collector', 'Writes measurements; for tokens of collectors.', true);

INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'audit:export audit:read audit:seal config:read config:write departments:read departments:write '
     'devices:delete devices:read devices:write enrollment:read enrollment:write groups:read groups:write '
     'memberships:write operations:read providers:read providers:write roles:read roles:write scim:write '
     'sessions:write telemetry:read telemetry:write tokens:read tokens:write users:read users:write'),
    ('manager', 'audit:export audit:read departments:read departments:write devices:delete devices:read devices:write '
     'enrollment:read enrollment:write groups:read memberships:write roles:read telemetry:read users:read'),
    ('operator', 'departments:read devices:read devices:write enrollment:read enrollment:write telemetry:read'),
    ('analyst', 'audit:read departments:read devices:read telemetry:read'),
    ('viewer', 'departments:read devices:read telemetry:read'),
    ('data_collector', 'devices:read telemetry:write')
) AS list(role, permissions)
JOIN roles r ON r.name = list.role
CROSS JOIN LATERAL unnest(string_to_array(list.permissions, ' ')) AS p(permission);

-- Accounts keep what they had, everywhere.
INSERT INTO memberships (id, user_id, role_id)
SELECT gen_random_uuid(), u.id, r.id FROM users u JOIN roles r ON r.name = u.role;
INSERT INTO installation (instance_id) SELECT gen_random_uuid() WHERE EXISTS (SELECT FROM users);
ALTER TABLE users DROP COLUMN role;

-- A department cannot come to lie below itself, whoever moves it.
CREATE FUNCTION refuse_department_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.parent_id IS NOT NULL AND NEW.parent_id IN (
        WITH RECURSIVE below AS (
            SELECT NEW.id AS id
            UNION
            SELECT d.id FROM departments d JOIN below ON d.parent_id = below.id
        )
        SELECT id FROM below
    ) THEN
        RAISE EXCEPTION 'department % cannot lie below itself', NEW.id USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ck_departments_cycle';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_department_cycle BEFORE INSERT OR UPDATE OF parent_id ON departments
    FOR EACH ROW EXECUTE FUNCTION refuse_department_cycle();

-- Document 001's names for what memberships hold.
CREATE VIEW user_roles WITH (security_invoker = true) AS
SELECT id, user_id, role_id, assigned_at, assigned_by FROM memberships WHERE user_id IS NOT NULL;

CREATE VIEW user_departments WITH (security_invoker = true) AS
SELECT id, user_id, department_id AS dept_id, assigned_at
FROM memberships WHERE user_id IS NOT NULL AND department_id IS NOT NULL;
