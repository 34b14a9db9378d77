"""What `opened` notices: errors and requests, so that the tests of the pages can fail."""

import pytest


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<script>nothing.there</script>", "nothing is not defined"),
        ("<script>console.error('bad')</script>", "bad"),
        ("<img src='https://example.invalid/a.png' alt=''>", "example.invalid"),
    ],
)
def test_errors_and_requests_are_noticed(body, said, chromium, tmp_path):
    from conftest import opened

    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><html lang=en><title>t</title><body>{body}</body></html>")
    using = opened.__wrapped__(chromium)
    next(using)(path)
    with pytest.raises(AssertionError, match=said):
        next(using)
