"""What a data source is: a family of instances, one per seed."""

from abc import abstractmethod

from qsynth.config import Config
from qsynth.data.dataset import Instance


class DataSource(Config):
    """A family of instances; a study names one by its ``kind``."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What people call it, and what the keys of its instances begin with."""

    @property
    @abstractmethod
    def width(self) -> int:
        """d of the scaled space of all its instances.

        Raises:
            DataError: its data can't be used.
            FileError: its file can't be read.
        """

    @abstractmethod
    def instance(self, seed: int, held_out: bool) -> Instance:
        """The instance of this seed, always the same; held-out ones come from another stream than training ones.

        Raises:
            StudyError: a negative seed.
            DataError: its data can't be used.
            FileError: its file can't be read.
        """

    def check(self) -> None:
        """Make one instance, so that whatever could fail for any seed does so before work starts.

        Raises:
            QsynthError: as :meth:`instance`.
        """
        self.instance(0, held_out=True)
