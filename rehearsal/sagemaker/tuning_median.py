"""Early stopping of tuning's training jobs: SageMaker's median rule.

("Stop Training Jobs Early", Amazon SageMaker Developer Guide: after each epoch the job's objective
is compared with the median of the running averages of the earlier jobs at the same epoch.) An epoch
is one value of the objective in the log.
"""

import threading
from collections import defaultdict
from statistics import fmean, median

ENOUGH = 2  # earlier jobs that have come as far, before anything is compared


class MedianRule:
    """The objective's course in each job.

    Args:
        maximize: whether more is better.
    """

    def __init__(self, maximize: bool) -> None:
        self._maximize = maximize
        self._lock = threading.Lock()
        self._courses: dict[str, list[float]] = defaultdict(list)
        self._ended: set[str] = set()

    def ended(self, job: str) -> None:
        """From now on others are measured by this job."""
        with self._lock:
            self._ended.add(job)

    def is_hopeless(self, job: str, value: float) -> bool:
        """Note an epoch's value, and say whether the job is to be stopped."""
        with self._lock:
            own = self._courses[job]
            own.append(value)
            epoch = len(own)
            averages = [
                fmean(self._courses[other][:epoch])
                for other in self._ended
                if other != job and len(self._courses[other]) >= epoch
            ]
        if len(averages) < ENOUGH:
            return False
        middle = median(averages)
        return value < middle if self._maximize else value > middle
