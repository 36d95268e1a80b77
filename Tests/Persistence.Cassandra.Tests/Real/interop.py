"""Another client's hands: writes what ours reads (write), prints what ours wrote (read), a table (rows), tokens (tokens)."""
import datetime
import decimal
import ipaddress
import json
import sys
import uuid

from cassandra.cluster import Cluster
from cassandra.query import dict_factory
from cassandra.util import Date, Time

COLUMNS = ("k", "a", "bi", "bl", "bo", "de", "du", "fl", "i", "ti", "si", "ts", "u", "tu", "vi", "ip", "da", "tm", "te", "li", "se", "ma")


def main():
    action, host, port, keyspace = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    cluster = Cluster([host], port=port, protocol_version=4)
    session = cluster.connect(keyspace)
    session.row_factory = dict_factory
    if action == "write":
        values = {
            "k": "python", "a": "ascii", "bi": -(2 ** 63), "bl": b"\x00\x01\xff", "bo": True, "de": decimal.Decimal("-12345.6789"), "du": 0.1, "fl": 1.5,
            "i": -(2 ** 31), "ti": -128, "si": -32768, "ts": datetime.datetime(2026, 11, 26, 1, 2, 3, 456000), "u": uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
            "tu": uuid.UUID("d2177dd0-eaa2-11de-a572-001b779c76e3"), "vi": -(2 ** 70), "ip": "::1", "da": Date(datetime.date(1969, 12, 31)),
            "tm": Time("23:59:59.123456700"), "te": "\u00e9\U0001F600", "li": [3, 1, 2], "se": {"b", "a"}, "ma": {1: 10, 2: 20},
        }
        put = session.prepare("INSERT INTO types (%s) VALUES (%s)" % (", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))))
        session.execute(put, [values[name] for name in COLUMNS])
        many = session.prepare("INSERT INTO pages (k, c, n) VALUES ('python', ?, ?)")
        for n in range(250):
            session.execute(many, (n, n * n))
    elif action == "read":
        get = session.prepare("SELECT %s FROM types WHERE k = ?" % ", ".join(COLUMNS))
        row = session.execute(get, ["ours"]).one()
        pages = session.prepare("SELECT c, n FROM pages WHERE k = ?")
        pages.fetch_size = 17
        row["pages"] = [(r["c"], r["n"]) for r in session.execute(pages, ["ours"])]
        print(json.dumps(row, default=text, sort_keys=True))
    elif action == "rows":
        print(json.dumps(list(session.execute("SELECT * FROM %s" % sys.stdin.read())), default=text))
    elif action == "tokens":
        for key in json.load(sys.stdin):
            print(cluster.metadata.token_map.token_class.from_key(bytes.fromhex(key)).value)
    cluster.shutdown()


def text(value):
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if hasattr(value, "items"):
        return {str(k): v for k, v in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return sorted(value)
    return str(value)


main()
