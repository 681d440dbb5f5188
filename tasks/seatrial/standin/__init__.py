"""Two throw-away package indexes on this machine that answer uploads as PyPI does."""

from seatrial.standin.server import Standins as Standins
from seatrial.standin.server import serve as serve
