"""What the database keeps of each device and part by itself."""

from uuid import uuid4


def add_device(connection, name="a"):
    key = uuid4()
    connection.execute("INSERT INTO devices (id, name, hostname) VALUES (%s, %s, %s)", (key, name, name))
    return key


def add_interface(connection, device, name="eth0"):
    key = uuid4()
    connection.execute(
        "INSERT INTO network_interfaces (id, device_id, interface_name) VALUES (%s, %s, %s)",
        (key, device, name),
    )
    return key


def revisions(connection, device):
    return connection.execute(
        "SELECT object_type, operation, changed, valid_to = 'infinity' FROM device_revisions "
        "WHERE device_id = %s ORDER BY id",
        (device,),
    ).fetchall()


def test_a_change_ends_what_was_before(connection):
    device = add_device(connection)
    connection.execute("UPDATE devices SET location = 'Hall 3' WHERE id = %s", (device,))
    assert revisions(connection, device) == [
        ("devices", "insert", [], False),
        ("devices", "update", ["location"], True),
    ]
    (content,) = connection.execute(
        "SELECT content FROM device_revisions WHERE device_id = %s AND valid_to = 'infinity'", (device,)
    ).fetchone()
    assert content["location"] == "Hall 3"
    assert "last_seen" not in content


def test_reports_and_rewrites_are_no_change(connection):
    device = add_device(connection)
    connection.execute(
        "UPDATE devices SET last_seen = now(), status = 'online', location = location WHERE id = %s",
        (device,),
    )
    assert len(revisions(connection, device)) == 1


def test_changes_within_one_transaction_leave_one_that_is_true(connection):
    device = add_device(connection)
    with connection.transaction():
        for place in ("A", "B"):
            connection.execute("UPDATE devices SET location = %s WHERE id = %s", (place, device))
    true_now = connection.execute(
        "SELECT content ->> 'location' FROM device_revisions "
        "WHERE device_id = %s AND valid_from <= now() AND valid_to > now()",
        (device,),
    ).fetchall()
    assert true_now == [("B",)]


def test_a_part_is_kept_and_its_end(connection):
    device = add_device(connection)
    part = add_interface(connection, device)
    connection.execute("DELETE FROM network_interfaces WHERE id = %s", (part,))
    kept = revisions(connection, device)[1:]
    assert kept == [("network_interfaces", "insert", [], False), ("network_interfaces", "delete", [], False)]


def test_a_part_that_goes_to_another_device(connection):
    one, other = add_device(connection, "one"), add_device(connection, "other")
    part = add_interface(connection, one)
    connection.execute("UPDATE network_interfaces SET device_id = %s WHERE id = %s", (other, part))
    assert [row[1] for row in revisions(connection, one)] == ["insert", "insert", "delete"]
    assert revisions(connection, other)[-1] == ("network_interfaces", "insert", ["device_id"], True)


def test_a_relationship_is_history_of_both(connection):
    host, guest = add_device(connection, "host"), add_device(connection, "guest")
    connection.execute(
        "INSERT INTO device_relationships (id, parent_device_id, child_device_id, relationship_type) "
        "VALUES (gen_random_uuid(), %s, %s, 'hosts')",
        (host, guest),
    )
    for device in (host, guest):
        assert revisions(connection, device)[-1] == ("device_relationships", "insert", [], True)


def test_a_deleted_device_keeps_its_past(connection):
    device = add_device(connection)
    add_interface(connection, device)
    connection.execute("DELETE FROM devices WHERE id = %s", (device,))
    assert not any(row[3] for row in revisions(connection, device))
    assert len(revisions(connection, device)) == 4


def test_addresses_are_told_by_their_interface(connection):
    device = add_device(connection)
    part = add_interface(connection, device)
    for address in ("2001:db8::1/64", "10.0.0.5/24"):
        connection.execute(
            "INSERT INTO ip_addresses (id, device_id, interface_id, address) VALUES (gen_random_uuid(), %s, %s, %s)",
            (device, part, address),
        )
    told = connection.execute(
        "SELECT ip_addresses::text FROM network_interfaces WHERE id = %s", (part,)
    ).fetchone()
    assert told == ("{10.0.0.5/24,2001:db8::1/64}",)
    connection.execute("DELETE FROM ip_addresses WHERE family(address) = 4")
    told = connection.execute(
        "SELECT ip_addresses::text FROM network_interfaces WHERE id = %s", (part,)
    ).fetchone()
    assert told == ("{2001:db8::1/64}",)


def test_the_first_source_is_told_beside_the_device(connection):
    device = add_device(connection)
    for day, source in ((2, "foreman"), (1, "vcenter")):
        connection.execute(
            "INSERT INTO device_sources (id, device_id, source_system, source_id, first_seen, last_seen) "
            "VALUES (gen_random_uuid(), %s, %s, 'x', now() + %s * interval '1 day', now())",
            (device, source, day),
        )
    connection.execute("DELETE FROM device_sources WHERE source_system = 'puppet'")
    told = connection.execute(
        "SELECT source_system, source_id FROM devices WHERE id = %s", (device,)
    ).fetchone()
    assert told == ("vcenter", "x")
