"""gh_artifacts_async's decoder, which has no public name: strict, into frozen values, errors that name the path."""

import json

from decoding import measure
from gh_artifacts_async import RepositoryName
from gh_artifacts_async.api import decode
from gh_artifacts_async.protocol.links import PageLinks

REPOSITORY, LINKS = RepositoryName("bench", "data"), PageLinks()

measure(lambda body: len(decode.artifact_page(json.loads(body), REPOSITORY, LINKS).artifacts))
