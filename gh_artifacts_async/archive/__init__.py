"""Extract zip archives: the whole archive is checked first, and the folder appears complete or not at all.

No network, no event loop. Most callers need only :func:`audit` and :func:`extract`; the rest is for archives that are
still being downloaded (:class:`Extraction`) or that stay on a server (:func:`parse_tail`, :func:`check_local_header`,
:func:`check_descriptor`, :func:`inflate_member`).
"""

from gh_artifacts_async.archive.audited import ArchiveDirectory, NeedMore
from gh_artifacts_async.archive.contents import read_member
from gh_artifacts_async.archive.directory import audit, audit_directory, audit_reader, parse_tail
from gh_artifacts_async.archive.end_record import TAIL
from gh_artifacts_async.archive.extraction import Extraction
from gh_artifacts_async.archive.inflate import inflate_member
from gh_artifacts_async.archive.local_headers import audit_headers, check_descriptor, check_local_header, header_length
from gh_artifacts_async.archive.member_table import MemberTable
from gh_artifacts_async.archive.members import Folder, Member
from gh_artifacts_async.archive.parallel import extract, extract_all
from gh_artifacts_async.archive.readers import BytesReader, FileReader, Reader
from gh_artifacts_async.archive.rules import RULES, Rule

__all__ = [
    "RULES",
    "TAIL",
    "ArchiveDirectory",
    "BytesReader",
    "Extraction",
    "FileReader",
    "Folder",
    "Member",
    "MemberTable",
    "NeedMore",
    "Reader",
    "Rule",
    "audit",
    "audit_directory",
    "audit_headers",
    "audit_reader",
    "check_descriptor",
    "check_local_header",
    "extract",
    "extract_all",
    "header_length",
    "inflate_member",
    "parse_tail",
    "read_member",
]
