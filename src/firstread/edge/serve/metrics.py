"""What Prometheus is told: requests, reads, waits, the line, packs and memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from firstread.edge.serve.describe import TEXT, answered, content
from firstread.edge.serve.memory import resident_mb
from firstread.edge.serve.wire import Answer, Asked, Route

if TYPE_CHECKING:
    from prometheus_client import Metric

    from firstread.edge.serve.limits import Held
    from firstread.edge.serve.pool import ReadPool
    from firstread.edge.serve.warm import WarmPacks

_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class _Seconds:
    """How often something took how long."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, took_s: float) -> None:
        self.counts[bisect_left(_BOUNDS_S, took_s)] += 1
        self.sum_s += took_s

    def buckets(self) -> list[tuple[str, float]]:
        total, buckets = 0, []
        for bound, count in zip([*map(str, _BOUNDS_S), "+Inf"], self.counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets


class Counts:
    """Counted on the event loop alone, so that nothing is locked while somebody reads.

    The library that writes them out is loaded when they are first asked for.
    """

    def __init__(self, *, packs: WarmPacks, pool: ReadPool, held: Held) -> None:
        self._packs, self._pool, self._held = packs, pool, held
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._reads: Counter[str] = Counter()
        self._dropped = 0
        self._waited, self._read = _Seconds(), _Seconds()

    def request(self, *, method: str, route: str, status: int) -> None:
        self._requests[method, route, str(status)] += 1

    def read(self, *, pack: str, samples: int, waited_s: float, took_s: float) -> None:
        self._waited.add(waited_s)
        self._read.add(took_s)
        if pack:
            self._reads[pack] += samples

    def dropped(self) -> None:
        self._dropped += 1

    def collect(self) -> Iterator[Metric]:
        """Everything counted, as prometheus_client wants it of a collector."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        requests = CounterMetricFamily(
            "firstread_requests", "Requests answered.", labels=("method", "route", "status")
        )
        for key, count in sorted(self._requests.items()):
            requests.add_metric(key, count)
        yield requests
        reads = CounterMetricFamily("firstread_reads", "Samples read.", labels=("pack",))
        for pack, count in sorted(self._reads.items()):
            reads.add_metric((pack,), count)
        yield reads
        yield CounterMetricFamily(
            "firstread_dropped", "Requests whose client left before they began.", self._dropped
        )
        yield CounterMetricFamily(
            "firstread_packs_opened", "How often a pack was opened.", self._packs.opened
        )
        for name, says, seconds in (
            ("firstread_wait_seconds", "From the arrival to the begin of the work.", self._waited),
            ("firstread_read_seconds", "The work on one request.", self._read),
        ):
            family = HistogramMetricFamily(name, says)
            family.add_metric((), seconds.buckets(), sum_value=seconds.sum_s)
            yield family
        yield GaugeMetricFamily("firstread_queue", "Requests that wait.", self._pool.waiting)
        yield GaugeMetricFamily("firstread_held_bytes", "Bodies in memory.", self._held.bytes)
        warm = GaugeMetricFamily(
            "firstread_warm_pack_bytes", "What each open pack takes.", labels=("pack",)
        )
        for pack, takes_mb in sorted(self._packs.warm().items()):
            warm.add_metric((pack,), takes_mb * 2**20)
        yield warm
        yield GaugeMetricFamily(
            "firstread_resident_bytes", "Memory of this process.", resident_mb() * 2**20
        )

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(
                method="GET",
                path="/metrics",
                handler=self._answer,
                reads=False,
                summary="What Prometheus asks for",
                tag="Watch",
                describe=answered(
                    content(TEXT, media_type="text/plain"),
                    says="Counters, histograms and gauges in Prometheus's text form.",
                ),
            ),
        )

    def _answer(self, asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG002  the form of a handler
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return Answer(body=generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
