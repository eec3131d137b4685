"""How much work a password costs whoever has stolen its hash."""

from argon2.low_level import Type

from fleetkeeper.identity.sign_in.passwords import hash_password, is_password


def test_the_product_hashes_as_asvs_asks(cheap_passwords):
    # ASVS 5.0, appendix C: t >= 1 with m >= 46 MiB and p = 1.
    assert cheap_passwords.type is Type.ID
    assert cheap_passwords.memory_cost >= 46 * 1024
    assert (cheap_passwords.time_cost, cheap_passwords.parallelism) == (2, 1)
    made = cheap_passwords.hash("a long enough password")
    assert is_password(made, "a long enough password")
    assert not is_password(made, "a long enough passwore")


def test_a_hash_names_its_parameters_and_is_salted():
    first, second = (hash_password("a long enough password") for _ in range(2))
    assert first.startswith("$argon2id$v=19$m=")
    assert first != second
