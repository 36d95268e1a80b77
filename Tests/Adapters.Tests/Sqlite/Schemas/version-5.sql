CREATE TABLE grain_state (
    grain TEXT NOT NULL, name TEXT NOT NULL, payload BLOB NOT NULL, etag INTEGER NOT NULL,
    PRIMARY KEY (grain, name)) WITHOUT ROWID;
CREATE TABLE clicks_by_hour (
    series TEXT NOT NULL, hour INTEGER NOT NULL, chain INTEGER NOT NULL,
    quarters BLOB NOT NULL, minutes BLOB, upto INTEGER NOT NULL, stamp INTEGER NOT NULL,
    set_aside INTEGER NOT NULL, run TEXT, at_final BLOB,
    PRIMARY KEY (series, hour, chain)) WITHOUT ROWID;
CREATE TABLE clicks_by_day (
    series TEXT NOT NULL, day INTEGER NOT NULL, chain INTEGER NOT NULL,
    quarters BLOB NOT NULL, stamp INTEGER NOT NULL, set_aside INTEGER NOT NULL,
    PRIMARY KEY (series, day, chain)) WITHOUT ROWID;
CREATE TABLE series_by_day (
    day INTEGER NOT NULL, series TEXT NOT NULL,
    PRIMARY KEY (day, series)) WITHOUT ROWID;
CREATE TABLE hours (
    hour INTEGER NOT NULL, chain INTEGER NOT NULL, upto INTEGER NOT NULL, stamp INTEGER NOT NULL,
    PRIMARY KEY (hour, chain)) WITHOUT ROWID;
CREATE TABLE tops (
    kind INTEGER NOT NULL, slice INTEGER NOT NULL, start INTEGER NOT NULL, chain INTEGER NOT NULL,
    entries BLOB NOT NULL, floor INTEGER NOT NULL, stamp INTEGER NOT NULL,
    PRIMARY KEY (kind, slice, start, chain)) WITHOUT ROWID;
CREATE TABLE targets (
    target TEXT NOT NULL PRIMARY KEY, url TEXT NOT NULL, first_seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE open_hours (
    hour INTEGER NOT NULL, chain INTEGER NOT NULL, upto INTEGER NOT NULL, stamp INTEGER NOT NULL, reopened_at INTEGER NOT NULL,
    PRIMARY KEY (hour, chain)) WITHOUT ROWID;
CREATE TABLE final_hours (
    hour INTEGER NOT NULL, chain INTEGER NOT NULL, upto INTEGER NOT NULL, run INTEGER NOT NULL,
    invalidations INTEGER NOT NULL, version INTEGER NOT NULL, versions TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (hour, chain)) WITHOUT ROWID;
CREATE TABLE corrections (
    hour INTEGER NOT NULL, chain INTEGER NOT NULL, series TEXT NOT NULL, run INTEGER NOT NULL,
    cause INTEGER NOT NULL, state INTEGER NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL,
    upto INTEGER NOT NULL, at INTEGER NOT NULL, detail TEXT,
    PRIMARY KEY (hour, chain, series, run)) WITHOUT ROWID;
CREATE INDEX corrections_by_series ON corrections (series, hour, chain, run);
CREATE TABLE history (
    series TEXT NOT NULL, hour INTEGER NOT NULL, chain INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    minutes BLOB, quarters BLOB NOT NULL,
    PRIMARY KEY (series, hour, chain, ordinal)) WITHOUT ROWID;
CREATE INDEX history_by_hour ON history (hour);
CREATE TABLE history_marks (
    series TEXT NOT NULL, hour INTEGER NOT NULL, chain INTEGER NOT NULL, ordinal INTEGER NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY (series, hour, chain, ordinal)) WITHOUT ROWID;
CREATE INDEX history_marks_by_hour ON history_marks (hour);
CREATE INDEX windows_by_hour ON clicks_by_hour (hour, chain, series);
CREATE INDEX slices_by_day ON clicks_by_day (day, chain, series);

-- A store as version 5 wrote it: one chain, one series, two hours of a day, one of them without minutes.
INSERT INTO grain_state VALUES ('partition/0', 'chain', CAST('{"Chain":{"Log":"l","Chain":0,"Next":7}}' AS BLOB), 3);
INSERT INTO clicks_by_hour VALUES ('ad:42', 500000, 0, x'0005', x'0005', 7, 1000000, 0, NULL, NULL);
INSERT INTO clicks_by_hour VALUES ('ad:42', 500001, 0, x'028001', NULL, 7, 2000000, 0, 'run', NULL);
INSERT INTO clicks_by_day VALUES ('ad:42', 20833, 0, x'2005268001', 2000000, 0);
INSERT INTO series_by_day VALUES (20833, 'ad:42');
INSERT INTO hours VALUES (500000, 0, 7, 1000000), (500001, 0, 7, 2000000);
INSERT INTO tops VALUES (1, 1, 500000, 0, x'02343205', 0, 1000000);
INSERT INTO targets VALUES ('page:p-1', 'https://one.example/', 1);
INSERT INTO facts VALUES ('minutes_floor', 500002);
INSERT INTO open_hours VALUES (500001, 0, 7, 2000000, 0);
INSERT INTO final_hours VALUES (500000, 0, 7, 1, 0, 4, '1,4', 1);
INSERT INTO corrections VALUES (500000, 0, 'ad:42', 1, 1, 2, x'0001', x'0005', 7, 1, NULL);
INSERT INTO history VALUES ('ad:42', 500000, 0, 1, NULL, x'0001');
PRAGMA user_version = 5;
