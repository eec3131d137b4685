"""What If-Match may say."""

import pytest

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.kit.etags import etag_of, expected_version


class TestExpectedVersion:
    @pytest.mark.parametrize(
        ("header", "version"),
        [(None, None), ("*", None), ('"3"', 3), ('W/"3"', 3), ('"999999999"', 999999999)],
    )
    async def test_what_it_names(self, header, version):
        assert await expected_version(header) == version

    @pytest.mark.parametrize(
        "header", ["", "3", '"3', '"-1"', '"3", "4"', 'w/"3"', '"1234567890"', '"٣"', '"3"\n', '"x"']
    )
    async def test_what_is_no_version_is_refused(self, header):
        with pytest.raises(InvalidInputError) as caught:
            await expected_version(header)
        assert [item.field for item in caught.value.fields] == ["If-Match"]

    async def test_what_goes_out_comes_back(self):
        assert await expected_version(etag_of(7)) == 7
