"""The emitter calls a client's observers; event classes are imported only if somebody listens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gh_artifacts_async.events import Event, Observer

logger = logging.getLogger("gh_artifacts_async")


class Emitter:
    """Calls observers with events; an exception that an observer raises is logged, and otherwise ignored.

    Attributes:
        active: whether there is any observer; without one no event needs to be built.
    """

    def __init__(self, *observers: Observer | None) -> None:
        """Keep the observers that are not None."""
        self._observers = tuple(observer for observer in observers if observer is not None)
        self.active = bool(self._observers)

    def also(self, observer: Observer | None) -> Emitter:
        """Return an emitter that calls ``observer`` as well."""
        return self if observer is None else Emitter(*self._observers, observer)

    def emit(self, event: Event) -> None:
        """Call every observer with the event."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # whatever an observer raises must not end the work it observes
                logger.exception("an observer failed on %s", type(event).__name__)
