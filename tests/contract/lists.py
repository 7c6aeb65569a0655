"""Going on from one page of a list to the next."""

from tests.contract.world import Answer, Api


def following(api: Api, page: Answer) -> Answer:
    """Ask for the page that a page's Link header leads to."""
    link, rel = page.headers["Link"].split("; ")
    assert rel == 'rel="next"'
    return api.get(link.strip("<>").removeprefix("https://api.example/prod"))
