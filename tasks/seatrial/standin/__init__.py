"""Two throw-away package indexes on this machine that answer uploads as PyPI does."""

from seatrial.standin.launch import Standins as Standins
from seatrial.standin.launch import serve as serve
