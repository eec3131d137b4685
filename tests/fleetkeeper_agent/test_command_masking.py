"""Command lines: no secret gets out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.processor_time import at_most_million_steps

from fleetkeeper_agent.command_masking import command_line, mask_arguments

SECRET = "hunter2-Xyzzy"


@pytest.mark.parametrize(
    "arguments",
    [
        ["app", f"--password={SECRET}"],
        ["app", "--password", SECRET],
        ["app", "-password", SECRET],
        ["app", f"--db-password={SECRET}"],
        ["app", "--api-key", SECRET],
        ["app", f"token={SECRET}"],
        ["app", f"DB_PASSWORD2={SECRET}"],
        ["app", f"--auth.tokenFile={SECRET}"],
        ["mysql", f"-p{SECRET}"],
        ["/usr/bin/mysql", "-p", SECRET],
        ["curl", "-u", f"user:{SECRET}"],
        ["curl", "-H", f"Authorization: Bearer {SECRET}"],
        ["curl", "-H", f"X-Api-Key: {SECRET}"],
        ["curl", f"https://user:{SECRET}@example.org/x"],
        ["git", "clone", f"https://{SECRET}@example.org/x"],
        ["psql", f"postgresql://u:p@{SECRET}@h/db"],
        ["sh", "-c", f"export TOKEN={SECRET} && run {SECRET}"],
        ["sqlcmd.exe", "-P", SECRET],
        ["C:\\tools\\sqlcmd.exe", f"-P{SECRET}"],
        ["app", f'{{"password": "{SECRET}"}}'],
        ["app", "/password", SECRET],
        ["java", f"-Djavax.net.ssl.keyStorePassword={SECRET}"],
        ["redis-cli", "-a", SECRET],
    ],
)
def test_secrets_are_masked(arguments):
    assert SECRET not in command_line(arguments, with_arguments=True)
    assert SECRET not in command_line(arguments, with_arguments=False)
    assert "***" in command_line(arguments, with_arguments=True)


def test_what_is_no_secret_stays():
    arguments = ["/usr/bin/postgres", "-D", "/var/lib/pg", "--port=5432", "https://example.org/a?b=c"]
    assert command_line(arguments, with_arguments=True) == " ".join(arguments)


def test_without_arguments_only_their_number_is_told():
    assert command_line([b"/usr/bin/a", b"b", b"c"], with_arguments=False) == "/usr/bin/a (2 arguments)"
    assert command_line(["a", "b"], with_arguments=False) == "a (1 argument)"
    assert command_line(["a"], with_arguments=False) == "a"
    assert command_line([], with_arguments=False) == ""


def test_a_title_that_a_process_gave_itself_is_cut_to_its_first_word():
    assert command_line([f"worker: password {SECRET}"], with_arguments=False) == "worker:"


words = st.sampled_from(
    ["password", "token", "api_key", "SECRET", "client-secret", "passphrase", "private_key"]
)
secrets = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789$%&/()?+*#'_", min_size=8, max_size=40)


@given(words, st.sampled_from(["--", "-", "", "--my-", "X_"]), secrets)
def test_values_behind_a_secrets_name_never_get_out(word, prefix, secret):
    assert secret not in command_line(["/bin/x-app", f"{prefix}{word}={secret}"], with_arguments=True)


@given(words, secrets)
def test_values_in_the_next_argument_never_get_out(word, secret):
    assert secret not in " ".join(mask_arguments(["/bin/x-app", f"--{word}", secret]))


@given(st.lists(st.binary(max_size=100), max_size=8), st.booleans())
def test_any_bytes_become_text_for_every_sink(arguments, with_arguments):
    text = command_line(arguments, with_arguments=with_arguments)
    text.encode("utf-8")
    assert len(text) <= 4000
    assert not any(ord(char) < 32 for char in text)


@pytest.mark.parametrize("piece", ["key", "key-", ".key", "a:", "//@", "pass pass ", "token=", "x://"])
def test_no_argument_makes_the_masking_slow(piece):
    with at_most_million_steps(8):
        command_line(["/bin/x", (piece * 4000)[:4000]], with_arguments=True)
