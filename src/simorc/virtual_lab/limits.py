"""What a client of a served lab may take up, so that no client costs another one anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one port. Times are of the wall.

    Parameters
    ----------
    clients: how many one instrument serves at a time by one protocol
    handshake_s: seconds until a HiSLIP client has to have opened both its connections
    unread_s: seconds that a client may let its replies lie, once the buffers of both sides are full
    linger_s: seconds for which a client that has closed its sending side still gets replies
    """

    clients: int = 64
    handshake_s: float = 10.0
    unread_s: float = 60.0
    linger_s: float = 10.0
