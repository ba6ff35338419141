"""The file system's instances: options, secrets, clients, and what writes nothing."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from gh_artifacts_async.api.auth import EnvironmentToken
from gh_artifacts_async.api.environment import token_variables
from gh_artifacts_async.errors import ConfigurationError, MissingTokenError
from gh_artifacts_async.fs.engine import AsyncFileSystem, apply_config, stringify_path
from gh_artifacts_async.fs.failures import refuse
from gh_artifacts_async.fs.loops import FileSystemClient, LoopState, LoopStates
from gh_artifacts_async.fs.options import first_set, own_token, sealed, shown, token_names
from gh_artifacts_async.fs.paths import PROTOCOL, strip
from gh_artifacts_async.models import check_id

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    import aiohttp

    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.client.options import ClientOptions
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.settings import Limits, RetryPolicy, StoragePolicy, StrPath, Timeouts

MAX_BYTES = 128 * 2**20
CACHE_BYTES = 128 * 2**20
LISTINGS_LAST = 60.0


class _Instances(type(AsyncFileSystem)):  # type: ignore[misc]  # fsspec is untyped
    """Seals the secrets among the options before fsspec hashes and keeps them."""

    def __call__(cls, *token: Any, **options: Any) -> Any:  # pyright: ignore[reportSelfClsParameterName]  # a metaclass
        if len(token) > 1:
            msg = "all options but the token must be given by name"
            raise TypeError(msg)
        if token:
            options["token"], token = token[0], ()
        options = apply_config(cls, options)
        options = sealed(options)
        return super().__call__(**options)

    @property
    def __signature__(cls) -> inspect.Signature:  # pyright: ignore[reportSelfClsParameterName]  # a metaclass
        """What a class of this kind takes; :meth:`__call__` would hide it."""
        _, *parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
        return inspect.Signature(parameters)


class Instance(AsyncFileSystem, metaclass=_Instances):  # type: ignore[misc]  # fsspec is untyped
    """What an instance is made of; see :class:`~gh_artifacts_async.fs.ArtifactsFileSystem`."""

    protocol = PROTOCOL
    root_marker = ""
    async_impl = True

    def __init__(
        self,
        token: str | TokenSource | None = None,
        *,
        token_env: str | Sequence[str] | None = None,
        max_bytes: int = MAX_BYTES,
        cache_bytes: int = CACHE_BYTES,
        asynchronous: bool = False,
        loop: Any = None,
        batch_size: int | None = None,
        use_listings_cache: bool = True,
        listings_expiry_time: float | None = LISTINGS_LAST,
        max_paths: int | None = None,
        base_url: str = "https://api.github.com",
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        ca_file: StrPath | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        storage: StoragePolicy | None = None,
        api_version: str | None = None,
        user_agent: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Check the options; no connection is opened before the first request.

        Args:
            token: a token, or a source of tokens. Without one, it is taken from the environment, as
                :meth:`~gh_artifacts_async.ArtifactsClient.from_env` does, whenever a request needs it.
            token_env: the environment variable that holds the token, or several of which the first that is set counts;
                for a process that has no ``token``, such as a worker to which this was sent.
            max_bytes: the largest compressed file, in bytes when uncompressed, that is read into memory.
            cache_bytes: bytes of whole files that are kept in memory after they were read.
            asynchronous: use it with ``await`` on the caller's own event loop, as fsspec documents it.
            loop: the event loop to use in place of fsspec's own.
            batch_size: how much is done at once by calls that take several paths.
            use_listings_cache: keep the listings of repositories and runs.
            listings_expiry_time: seconds for which they are kept; None for ever.
            max_paths: the most listings that are kept.
            base_url: of the REST API, as for :class:`~gh_artifacts_async.ArtifactsClient`, and so are all that follow.
                Without one, and without ``token``, the environment names it.
            session: an aiohttp.ClientSession to borrow; it needs ``asynchronous=True``.
            allow_http: allow a token to be sent over plain http to another machine.
            ca_file: certificates (PEM) to trust in addition to the system's.
            ssl_context: replaces the default one; it cannot be pickled.
            proxy: URL of an http or https proxy; a password in it is not pickled.
            trust_env: take proxies from the environment.
            timeouts: limits on silence and slowness.
            retry: how often a request is retried.
            limits: rate and concurrency of API requests.
            storage: where signed URLs may lead.
            api_version: ``X-GitHub-Api-Version``; None for the client's default.
            user_agent: None for this package's name and version.
            observer: called with every event, on the event loop's thread; it is not pickled.

        Raises:
            ConfigurationError: an option is invalid.
        """
        super().__init__(
            asynchronous=asynchronous,
            loop=loop,
            batch_size=batch_size,
            use_listings_cache=use_listings_cache,
            listings_expiry_time=listings_expiry_time,
            max_paths=max_paths,
        )
        if session is not None and not asynchronous:
            msg = "session= belongs to the caller's event loop, so it needs asynchronous=True"
            raise ConfigurationError(msg)
        self.base_url = base_url
        self.max_bytes: int = check_id(max_bytes, "max_bytes")
        self._token: Any = token
        self._token_names = token_names(token_env)
        self._cache_bytes = check_id(cache_bytes, "cache_bytes")
        given = {
            "base_url": base_url,
            "session": session,
            "allow_http": allow_http,
            "ca_file": ca_file,
            "ssl_context": ssl_context,
            "proxy": None if proxy is None else _revealed(proxy),
            "trust_env": trust_env,
            "timeouts": timeouts,
            "retry": retry,
            "limits": limits,
            "storage": storage,
            "user_agent": user_agent,
            "observer": observer,
            **({} if api_version is None else {"api_version": api_version}),
        }
        self._options = given
        self._states = LoopStates(self._new_state, self._is_stale)
        FileSystemClient(**self._client_options())  # what is invalid is an error here, not at the first request

    # --- what is shown and pickled

    @property
    def storage_options(self) -> dict[str, Any]:
        """The options that may be pickled and written down: not the token, and no password in ``proxy``."""
        return self._shown

    @storage_options.setter
    def storage_options(self, given: Mapping[str, Any]) -> None:
        self._shown = shown(given)

    def __copy__(self) -> Self:
        """Return itself: a copy by pickle would have no token."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a copy by pickle would have no token."""
        return self

    def __repr__(self) -> str:
        """Return the base URL, never the token."""
        return f"ArtifactsFileSystem(base_url={self.base_url!r})"

    @property
    def fsid(self) -> str:
        """What two instances have in common that show the same files: the base URL."""
        return f"{PROTOCOL}+{self.base_url}"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return strip(stringify_path(path))

    # --- clients

    def _client_options(self) -> ClientOptions:
        """Return the arguments of a client, and the token of this process, if there is one."""
        source = own_token(self._token)
        if source is None:
            names = self._token_names or token_variables(self.base_url)
            source = EnvironmentToken(*names) if first_set(names) else None
        options: Any = {**self._options, "token": source}
        return cast("ClientOptions", options)

    def _is_stale(self, state: LoopState) -> bool:
        """Whether a client without a token could have one now."""
        return state.anonymous and self._client_options().get("token") is not None

    def _new_state(self) -> LoopState:
        options = self._client_options()
        anonymous = options.get("token") is None
        if anonymous and self._token_names:
            msg = f"no token: set {' or '.join(self._token_names)}, as token_env says"
            raise MissingTokenError(msg)
        return LoopState(FileSystemClient(**options), anonymous=anonymous, cache_bytes=self._cache_bytes)

    def close(self) -> None:
        """Close the connections of all event loops; they are opened again when they are needed.

        That happens by itself before the program ends, and before an event loop ends that is run by ``asyncio.run``.
        """
        self._states.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop; they are opened again when they are needed."""
        await self._states.aclose()

    # --- nothing is written

    async def _refused(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing is written."""
        refuse()

    def _refused_at_once(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing is written."""
        refuse()

    _cp_file = _copy = _mv_file = _pipe = _pipe_file = _put = _put_file = _refused
    _rm = _rm_file = _mkdir = _makedirs = _refused
    cp_file = copy = mv = pipe = pipe_file = put = put_file = rm = rm_file = mkdir = makedirs = _refused_at_once
    rmdir = touch = write_text = write_bytes = start_transaction = _refused_at_once
    cp = delete = makedir = mkdirs = move = rename = upload = _refused_at_once


def _revealed(proxy: Any) -> Any:
    return proxy.reveal()
