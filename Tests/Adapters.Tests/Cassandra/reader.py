"""Another client's eyes: reads the tables as anybody may, and prints the numbers as JSON."""
import json
import sys

from cassandra.cluster import Cluster


def main():
    host, port, keyspace = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    cluster = Cluster([host], port=port, protocol_version=4)
    session = cluster.connect(keyspace)
    found = {"hours": {}, "days": {}, "tops": {}, "series": [], "pages": {}}
    for row in session.execute("SELECT series, hour, chain, quarters, minutes, upto, stamp, set_aside FROM clicks_by_hour"):
        minutes = dict(row.minutes) if row.minutes else None
        found["hours"]["%s@%d@%d" % (row.series, row.hour, row.chain)] = [
            list(row.quarters), minutes and [minutes.get(n, 0) for n in range(60)], row.upto, row.stamp, row.set_aside]
    for row in session.execute("SELECT series, day, chain, quarters FROM clicks_by_day"):
        hours = dict(row.quarters)
        found["days"]["%s@%d@%d" % (row.series, row.day, row.chain)] = [
            count for hour in range(24) for count in list(hours.get(hour, [0, 0, 0, 0]))[:4]]
    for row in session.execute("SELECT kind, slice, start, chain, ids, clicks, floor FROM tops"):
        found["tops"]["%s %s %d %d" % (row.kind, row.slice, row.start, row.chain)] = [
            row.floor, [[name, count] for name, count in zip(row.ids or [], row.clicks or [])]]
    for row in session.execute("SELECT day, series FROM series_by_day"):
        found["series"].append("%d %s" % (row.day, row.series))
    for row in session.execute("SELECT target, url FROM targets"):
        found["pages"][row.target] = row.url
    print(json.dumps(found))
    cluster.shutdown()


main()
