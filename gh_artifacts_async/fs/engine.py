"""What is used of fsspec, which has no annotations: type checkers take all of it for Any, not for what they infer."""

from __future__ import annotations

from typing import Any

import fsspec.asyn  # pyright: ignore[reportMissingTypeStubs]
import fsspec.caching  # pyright: ignore[reportMissingTypeStubs]
import fsspec.callbacks  # pyright: ignore[reportMissingTypeStubs]
import fsspec.config  # pyright: ignore[reportMissingTypeStubs]
import fsspec.spec  # pyright: ignore[reportMissingTypeStubs]
import fsspec.utils  # pyright: ignore[reportMissingTypeStubs]

AsyncFileSystem: Any = fsspec.asyn.AsyncFileSystem
AbstractBufferedFile: Any = fsspec.spec.AbstractBufferedFile
AbstractAsyncStreamedFile: Any = fsspec.asyn.AbstractAsyncStreamedFile
BlockCache: Any = fsspec.caching.BlockCache
NO_CALLBACK: Any = fsspec.callbacks.DEFAULT_CALLBACK

apply_config: Any = fsspec.config.apply_config
glob_translate: Any = fsspec.utils.glob_translate
isfilelike: Any = fsspec.utils.isfilelike
run_at_once: Any = fsspec.asyn._run_coros_in_chunks  # pyright: ignore[reportPrivateUsage]  # as other file systems do
stringify_path: Any = fsspec.utils.stringify_path
sync: Any = fsspec.asyn.sync
sync_wrapper: Any = fsspec.asyn.sync_wrapper
