DROP VIEW user_roles, user_departments;
DROP TRIGGER refuse_department_cycle ON departments;
DROP FUNCTION refuse_department_cycle();
ALTER TABLE users ADD COLUMN role varchar(20) NOT NULL DEFAULT 'viewer';
UPDATE users u SET role = 'admin' FROM memberships m JOIN roles r ON r.id = m.role_id
WHERE m.user_id = u.id AND r.name = 'admin' AND m.department_id IS NULL;
ALTER TABLE users ADD CONSTRAINT ck_users_role CHECK (role IN ('admin', 'viewer'));
