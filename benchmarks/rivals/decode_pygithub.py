"""PyGithub's objects, constructed only: it reads an attribute when it is asked for."""

import json

from decoding import measure
from github import Auth, Github
from github.Artifact import Artifact

requester = Github(auth=Auth.Token("token")).requester


def decode(body: bytes) -> int:
    """Make one page's objects."""
    return len([Artifact(requester, {}, attributes) for attributes in json.loads(body)["artifacts"]])


measure(decode)
