"""The writes of `Bench cql` by the Python driver: prints seconds and processor seconds. Debian: python3-cassandra."""
import resource
import sys
import time

from cassandra import ConsistencyLevel
from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args

host, port, keyspace, rows, at_once = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
session = Cluster([host], port=port).connect(keyspace)
insert = session.prepare("INSERT INTO writes (series, day, hour, quarters, upto, stamp) VALUES (?, ?, ?, ?, ?, ?)")
insert.consistency_level = ConsistencyLevel.LOCAL_QUORUM


def write(first, count):
    values = ((f"ad:{n}", 20_000, n % 24, [n, 1, 2, 3], n, n) for n in range(first, first + count))
    execute_concurrent_with_args(session, insert, values, concurrency=at_once)


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


write(0, 5_000)
started, cpu = time.monotonic(), used()
write(0, rows)
print(f"{time.monotonic() - started:.3f} {used() - cpu:.3f}")
