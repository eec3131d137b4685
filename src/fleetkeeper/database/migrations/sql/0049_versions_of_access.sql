-- Versions of what people edit, so that nobody overwrites what they did not see. The database counts, whoever changes it:
-- a person, a script, SCIM or a provider.
CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;

ALTER TABLE users ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE groups ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE departments ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE roles ADD COLUMN version integer NOT NULL DEFAULT 1;

CREATE TRIGGER count_version BEFORE UPDATE ON users FOR EACH ROW
    WHEN ((OLD.username, OLD.name, OLD.email) IS DISTINCT FROM (NEW.username, NEW.name, NEW.email))
    EXECUTE FUNCTION count_version();
CREATE TRIGGER count_version BEFORE UPDATE ON groups FOR EACH ROW
    WHEN ((OLD.name, OLD.description) IS DISTINCT FROM (NEW.name, NEW.description))
    EXECUTE FUNCTION count_version();
CREATE TRIGGER count_version BEFORE UPDATE ON departments FOR EACH ROW
    WHEN ((OLD.name, OLD.description, OLD.parent_id, OLD.manager_id)
          IS DISTINCT FROM (NEW.name, NEW.description, NEW.parent_id, NEW.manager_id))
    EXECUTE FUNCTION count_version();
-- A role's permissions have a table of their own: who changes them touches the role.
CREATE TRIGGER count_version BEFORE UPDATE ON roles FOR EACH ROW
    WHEN ((OLD.name, OLD.description, OLD.requires_second_factor, OLD.updated_at)
          IS DISTINCT FROM (NEW.name, NEW.description, NEW.requires_second_factor, NEW.updated_at))
    EXECUTE FUNCTION count_version();

SELECT audit_table('users', '{id}', 'username', NULL,
                   '{last_login,updated_at,role,oauth_provider,oauth_id,version}', '{password_hash}');
SELECT audit_table('groups', '{id}', 'name', NULL, '{updated_at,version}');
SELECT audit_table('departments', '{id}', 'name', NULL, '{updated_at,version}');
SELECT audit_table('roles', '{id}', 'name', NULL, '{updated_at,version}');
